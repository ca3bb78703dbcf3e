"""Reads one stream of a trace while it is being written, or long after. What it reads is data."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from seedproof.errors import SeedproofError
from seedproof.trace.events import checked, is_foreign
from seedproof.trace.format import (
    EVENTS_FILE,
    VALUES_FILE,
    WATERMARK,
    WATERMARK_FILE,
    WORD_BYTES,
    Column,
    rows_file,
)

if TYPE_CHECKING:
    from pathlib import Path

# What a trace may ask a reader to hold in memory at once.
_LONGEST_LINE = 64 << 20
_LARGEST_VALUE = 1 << 30
_BLOCK_BYTES = 1 << 20

# A pipe must not block the reader, and a link must not lead it out of the trace.
_PLAIN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class TraceDamagedError(SeedproofError):
    """A file that is no trace, or a trace that was altered."""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """The plain file at `path`, None where there is none yet."""
    try:
        descriptor = os.open(path, _PLAIN)
    except FileNotFoundError:
        descriptor = None
    except OSError as error:
        raise unreadable(path, error) from None
    if descriptor is None:
        yield None
        return
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise TraceDamagedError(f"{path}: it is no plain file, as those of a trace are")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _plain_size(path: Path) -> int | None:
    """The size of a plain file, None where there is no such file: then opening it says why."""
    with suppress(OSError):
        found = os.lstat(path)
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    return None


def unreadable(path: Path | str, error: OSError) -> TraceDamagedError:
    """What to say where the system does not let a file be read."""
    return TraceDamagedError(f"{path}: no file of a trace can be read here ({error.strerror})")


@dataclass(frozen=True)
class Table:
    """One table of a stream: its columns, and the file that holds its rows."""

    key: str
    number: int
    columns: tuple[Column, ...]
    path: Path

    @property
    def row_bytes(self) -> int:
        """The width of a row."""
        return WORD_BYTES * (1 + len(self.columns))

    @property
    def block_rows(self) -> int:
        """How many rows are worth reading at once, however long the table is."""
        return max(1, _BLOCK_BYTES // self.row_bytes)

    def whole_rows(self) -> int:
        """How many rows have been written completely."""
        return self._size() // self.row_bytes

    def is_torn(self) -> bool:
        """Whether it ends within a row."""
        return self._size() % self.row_bytes != 0

    def _size(self) -> int:
        try:
            return os.lstat(self.path).st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise unreadable(self.path, error) from None

    def read(self, first: int, count: int) -> bytes:
        """The bytes of `count` whole rows from row `first` on."""
        with _opened(self.path) as file:
            data = b""
            if file is not None:
                file.seek(first * self.row_bytes)
                data = file.read(count * self.row_bytes)
        if len(data) != count * self.row_bytes:
            raise TraceDamagedError(f"{self.path}: rows were taken away while they were read")
        return data


class Stream:
    """One stream; `refresh` takes in what has been written since."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tables: dict[str, Table] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._read_bytes = 0

    def refresh(self) -> None:
        """Reads the events that are new; raises TraceDamagedError for what is none."""
        path = self.directory / EVENTS_FILE
        if _plain_size(path) == self._read_bytes:
            return
        with _opened(path) as file:
            if file is None:
                return
            file.seek(self._read_bytes)
            while line := file.readline(_LONGEST_LINE):
                if line.endswith(b"\n"):
                    self._take(line, path)
                    self._read_bytes += len(line)
                elif len(line) == _LONGEST_LINE or not line.startswith(b"{"):
                    raise _no_event(line, path)
                else:
                    break  # its end is still to be written

    def _take(self, line: bytes, path: Path) -> None:
        if self.hello is not None and is_foreign(self.hello):
            return
        try:
            event = checked(json.loads(line))
            if self.hello is None and event["event"] != "hello":
                raise ValueError("a trace begins with a hello")
            if event["event"] == "table":
                self._add_table(event)
        except (ValueError, RecursionError):
            raise _no_event(line, path) from None
        self._events.setdefault(event["event"], []).append(event)

    def _add_table(self, event: dict[str, Any]) -> None:
        key, number = event["key"], event["number"]
        if key in self.tables or number != len(self.tables):
            raise ValueError("tables are numbered as they come, each once")
        columns = tuple(map(Column.from_json, event["columns"]))
        self.tables[key] = Table(key, number, columns, self.directory / rows_file(number))

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in their order."""
        return self._events.get(kind, [])

    @property
    def hello(self) -> dict[str, Any] | None:
        """The first record, None where the recording never began."""
        found = self.all("hello")
        return found[0] if found else None

    @property
    def ended(self) -> bool:
        """Whether the recording reached the end of its process."""
        return bool(self.all("end"))

    def watermark(self) -> int:
        """The number of steps whose updates have been written."""
        with _opened(self.directory / WATERMARK_FILE) as file:
            data = b"" if file is None else file.read(WATERMARK.size)
        return max(0, WATERMARK.unpack(data)[0]) if len(data) == WATERMARK.size else 0

    def value(self, event: dict[str, Any]) -> bytes:
        """The raw bytes of an array that was kept, as its event says; fewer where it was cut."""
        with _opened(self.directory / VALUES_FILE) as file:
            if file is None:
                return b""
            there = os.fstat(file.fileno()).st_size - event["offset"]
            if there <= 0 or event["bytes"] > _LARGEST_VALUE:
                return b""
            file.seek(event["offset"])
            return file.read(min(there, event["bytes"]))


def _no_event(line: bytes, path: Path) -> TraceDamagedError:
    shown = line[:60].decode("utf-8", "backslashreplace")
    return TraceDamagedError(f"{path}: found {shown!r}, which is no event of a trace")
