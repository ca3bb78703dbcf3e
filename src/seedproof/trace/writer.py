"""Writes a trace as it happens. Standard library only: it runs inside the user's process."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Sequence

from seedproof.trace.format import (
    EVENTS_FILE,
    VALUES_FILE,
    WATERMARK,
    WATERMARK_FILE,
    Column,
    row_struct,
    rows_file,
)


def _open_append(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class TableWriter:
    """Appends the rows of one table."""

    def __init__(self, path: str, columns: Sequence[Column]) -> None:
        self._row = row_struct(len(columns))
        self._descriptor = _open_append(path)

    def append(self, step: int, words: Sequence[int]) -> None:
        """One row; `words` are unsigned 64-bit numbers, one per column."""
        _write_all(self._descriptor, self._row.pack(step, *words))

    def append_rows(self, rows: bytes) -> None:
        """Whole rows that are already in the format, step first."""
        _write_all(self._descriptor, rows)


class StreamWriter:
    """One stream of a trace: the process that owns it is the only one that writes it."""

    def __init__(self, directory: str) -> None:
        """Claims `directory`; raises FileExistsError where another process has it."""
        os.makedirs(os.path.dirname(directory), exist_ok=True)
        os.mkdir(directory)
        self._directory = directory
        self._lock = threading.RLock()
        self._events = _open_append(os.path.join(directory, EVENTS_FILE))
        self._watermark = os.open(
            os.path.join(directory, WATERMARK_FILE), os.O_WRONLY | os.O_CREAT, 0o644
        )
        self._values: int | None = None
        self._value_bytes = 0
        self._tables: dict[str, TableWriter] = {}

    def event(self, kind: str, **fields: Any) -> None:
        """One line of `events.jsonl`."""
        line = json.dumps(dict(event=kind, **fields), default=str) + "\n"
        with self._lock:
            _write_all(self._events, line.encode())

    def table(self, key: str, columns: Sequence[Column]) -> TableWriter:
        """The table named `key`, made when first asked for."""
        with self._lock:
            if key not in self._tables:
                number = len(self._tables)
                self._tables[key] = TableWriter(
                    os.path.join(self._directory, rows_file(number)), columns
                )
                described: list[dict[str, Any]] = [column.to_json() for column in columns]
                self.event("table", number=number, key=key, columns=described)
            return self._tables[key]

    def keep(self, name: str, phase: str, step: int, dtype: str, shape: Any, data: bytes) -> None:
        """Keeps the raw bits of an array, for distances and predictions."""
        with self._lock:
            if self._values is None:
                self._values = _open_append(os.path.join(self._directory, VALUES_FILE))
            _write_all(self._values, data)
            self.event(
                "value",
                name=name,
                phase=phase,
                step=step,
                dtype=dtype,
                shape=list(shape),
                offset=self._value_bytes,
                bytes=len(data),
            )
            self._value_bytes += len(data)

    def watermark(self, steps: int) -> None:
        """Says that every row of the first `steps` steps has been written."""
        os.lseek(self._watermark, 0, os.SEEK_SET)
        os.write(self._watermark, WATERMARK.pack(steps))
