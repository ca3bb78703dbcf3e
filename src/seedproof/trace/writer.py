"""Writes a trace as it happens. Standard library only: it runs inside the user's process."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from typing import Any, Callable, Iterable, Sequence

from seedproof.trace import folding
from seedproof.trace.format import (
    EVENTS_FILE,
    VALUES_FILE,
    WATERMARK,
    WATERMARK_FILE,
    Column,
    row_struct,
    rows_file,
)

# The user's process may have few descriptors: the files of further tables are opened to append.
_TABLES_KEPT_OPEN = 64


class _GrowingFile:
    """A file that is only appended to, by whole pieces."""

    def __init__(self, path: str, kept_open: bool = True) -> None:
        self._path = path
        self._kept_open = kept_open
        self._descriptor: int | None = None

    def append(self, data: bytes) -> None:
        """All of `data` or, where that fails, nothing: what follows would be read askew."""
        descriptor = self._descriptor
        if descriptor is None:
            descriptor = _open(self._path, os.O_APPEND)
            self._descriptor = descriptor if self._kept_open else None
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            _take_back(descriptor, len(data) - len(view))
            raise
        finally:
            if not self._kept_open:
                os.close(descriptor)

    def close(self) -> None:
        """Gives the descriptor back; the next piece opens the file again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def abandon(self) -> None:
        """What is appended from here on goes nowhere."""
        self.close()
        self._path = os.devnull


def _open(path: str, more: int = 0) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | more, 0o644)


def _take_back(descriptor: int, written: int) -> None:
    if written:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)


class TableWriter:
    """Appends the rows of one table; what is beyond its share of the disk goes on folded."""

    def __init__(
        self,
        file: _GrowingFile,
        columns: Sequence[Column],
        open_folded: Callable[[], _GrowingFile],
    ) -> None:
        self._row = row_struct(len(columns))
        self._file = file
        self._columns = columns
        self._whole_rows = folding.whole_rows(columns)
        self._open_folded = open_folded
        self._folded: tuple[folding.Folding, _GrowingFile] | None = None

    def append(self, step: int, words: Sequence[int]) -> None:
        """One row; `words` are unsigned 64-bit numbers, one per column."""
        self.append_rows(self._row.pack(step, *words))

    def extend(self, rows: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Several rows, each with its step."""
        self.append_rows(b"".join([self._row.pack(step, *words) for step, words in rows]))

    def append_rows(self, rows: bytes) -> None:
        """Whole rows that are already in the format, step first."""
        if self._whole_rows is None:
            self._file.append(rows)
            return
        count = min(self._whole_rows, len(rows) // self._row.size)
        whole = count * self._row.size
        if whole:
            self._file.append(rows[:whole])
            self._whole_rows -= count
        if whole < len(rows):
            self._append_folded(rows[whole:])

    def _append_folded(self, rows: bytes) -> None:
        if self._folded is None:
            self._folded = (folding.Folding(self._columns), self._open_folded())
        fold, file = self._folded
        file.append(fold.fold(rows))


# What differs from run to run is written in one width: a text that is a letter shorter can be put
# elsewhere in memory, and so can what the script makes after it.
_OF_ONE_WIDTH = {"at": "20.6f", "clock": "20.6f", "cpu": "20.6f", "pid": "20d"}


def _line(fields: dict[str, Any]) -> str:
    """An event as JSON."""
    of_the_run = [(name, fields.pop(name)) for name in _OF_ONE_WIDTH if name in fields]
    text = json.dumps(fields, default=str)[:-1]
    numbers = (f', "{name}": {value:{_OF_ONE_WIDTH[name]}}' for name, value in of_the_run)
    return "".join([text, *numbers, "}\n"])


class StreamWriter:
    """One stream of a trace: the process that owns it is the only one that writes it."""

    def __init__(self, directory: str) -> None:
        """Claims `directory`; raises FileExistsError where another process has it."""
        os.makedirs(directory, exist_ok=True)
        os.close(os.open(os.path.join(directory, EVENTS_FILE), os.O_CREAT | os.O_EXCL, 0o644))
        self._directory: str | None = directory
        self._lock = threading.RLock()
        self._files: list[_GrowingFile] = []
        self._events = self._file(EVENTS_FILE)
        self._values = self._file(VALUES_FILE)
        self._value_bytes = 0
        self._watermark: int | None = None
        self._steps = 0
        self._tables: dict[str, TableWriter] = {}
        self._table_count = 0

    def event(self, kind: str, **fields: Any) -> None:
        """One line of `events.jsonl`."""
        line = _line(dict(event=kind, **fields))
        with self._lock:
            self._events.append(line.encode())

    def table(self, key: str, columns: Sequence[Column]) -> TableWriter:
        """The table named `key`, made when first asked for."""
        with self._lock:
            if key not in self._tables:
                file = self._new_table(key, columns)
                open_folded = partial(
                    self._new_table, key + folding.FOLDED, folding.folded_columns(columns)
                )
                self._tables[key] = TableWriter(file, columns, open_folded)
            return self._tables[key]

    def _new_table(self, key: str, columns: Sequence[Column]) -> _GrowingFile:
        with self._lock:
            number, self._table_count = self._table_count, self._table_count + 1
            described: list[dict[str, Any]] = [column.to_json() for column in columns]
            self.event("table", number=number, key=key, columns=described)
            return self._file(rows_file(number), kept_open=number < _TABLES_KEPT_OPEN)

    def keep(self, name: str, phase: str, step: int, dtype: str, shape: Any, data: bytes) -> None:
        """Keeps the raw bits of an array, for distances and predictions."""
        with self._lock:
            self._values.append(data)
            offset, self._value_bytes = self._value_bytes, self._value_bytes + len(data)
            self.event(
                "value",
                name=name,
                phase=phase,
                step=step,
                dtype=dtype,
                shape=list(shape),
                offset=offset,
                bytes=len(data),
            )

    def watermark(self, steps: int) -> None:
        """Says that the updates of the first `steps` steps have been written; it never sinks."""
        with self._lock:
            if steps > self._steps:
                self._steps = steps
                if self._watermark is None:
                    self._watermark = _open(self._path(WATERMARK_FILE))
                os.lseek(self._watermark, 0, os.SEEK_SET)
                os.write(self._watermark, WATERMARK.pack(steps))

    def close(self) -> None:
        """Gives all descriptors back; what is written later opens its file again."""
        for file in self._files:
            file.close()
        if self._watermark is not None:
            os.close(self._watermark)
            self._watermark = None

    def abandon(self) -> None:
        """In a forked child: the trace is the parent's, so what is written here goes nowhere."""
        self._lock = threading.RLock()
        self.close()
        self._directory = None
        for file in self._files:
            file.abandon()

    def _file(self, name: str, kept_open: bool = True) -> _GrowingFile:
        file = _GrowingFile(self._path(name), kept_open)
        self._files.append(file)
        return file

    def _path(self, name: str) -> str:
        return os.devnull if self._directory is None else os.path.join(self._directory, name)
