"""Reads a trace while it is being written, or long after. What it reads is data, never trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedproof.errors import SeedproofError
from seedproof.trace.format import (
    EVENTS_FILE,
    MAIN_STREAM,
    VALUES_FILE,
    WATERMARK,
    WATERMARK_FILE,
    WORD_BYTES,
    Column,
    rows_file,
)

if TYPE_CHECKING:
    from pathlib import Path


class TraceDamagedError(SeedproofError):
    """A file that is no trace, or a trace that was altered."""


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

    def whole_rows(self) -> int:
        """How many rows have been written completely."""
        try:
            return self.path.stat().st_size // self.row_bytes
        except FileNotFoundError:
            return 0

    def read(self, first: int, count: int) -> bytes:
        """The bytes of `count` rows from row `first` on."""
        with self.path.open("rb") as file:
            file.seek(first * self.row_bytes)
            return file.read(count * self.row_bytes)


class Stream:
    """One stream; `refresh` takes in what has been written since."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.events: list[dict[str, Any]] = []
        self.tables: dict[str, Table] = {}
        self._read_bytes = 0

    def refresh(self) -> None:
        """Reads the events that are new; raises TraceDamagedError for what is none."""
        path = self.directory / EVENTS_FILE
        try:
            with path.open("rb") as file:
                file.seek(self._read_bytes)
                new = file.read()
        except FileNotFoundError:
            return
        whole, _, _ = new.rpartition(b"\n")
        for line in whole.split(b"\n") if whole else ():
            self._take(line, path)
        self._read_bytes += len(whole) + bool(whole)

    def _take(self, line: bytes, path: Path) -> None:
        try:
            event = json.loads(line)
            if event["event"] == "table":
                self._add_table(event)
            self.events.append(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            shown = line[:60].decode("utf-8", "backslashreplace")
            raise TraceDamagedError(
                f"{path}: found {shown!r}, which is no event of a trace"
            ) from None

    def _add_table(self, event: dict[str, Any]) -> None:
        number = int(event["number"])
        columns = tuple(Column.from_json(fields) for fields in event["columns"])
        key = str(event["key"])
        self.tables[key] = Table(key, number, columns, self.directory / rows_file(number))

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in their order."""
        return [event for event in self.events if event["event"] == kind]

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
        """The number of steps of which every row has been written."""
        try:
            data = (self.directory / WATERMARK_FILE).read_bytes()
        except FileNotFoundError:
            return 0
        return int(WATERMARK.unpack(data)[0]) if len(data) == WATERMARK.size else 0

    def value(self, event: dict[str, Any]) -> bytes:
        """The raw bytes of an array that was kept, as its event says; may be cut short."""
        with (self.directory / VALUES_FILE).open("rb") as file:
            file.seek(event["offset"])
            return file.read(event["bytes"])


def main_stream(trace: Path) -> Stream:
    """The stream of the script's own process; it may not have been written yet."""
    return Stream(trace / MAIN_STREAM)
