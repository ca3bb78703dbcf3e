"""The rows of a table as they are compared: in their order, each read once, those in scope."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator

from seedproof.trace.format import HINT
from seedproof.trace.stream import Stream, Table

_STEP = struct.Struct("<q")


class Rows:
    """The rows of `table` that belong to a step before `steps` (None: all), block by block."""

    def __init__(self, table: Table, steps: int | None = None) -> None:
        self.table = table
        self._steps = steps
        self._next = 0
        self._ahead = b""

    def unread(self) -> int:
        """How many rows are there that were not taken yet, in scope or not."""
        waiting = len(self._ahead) // self.table.row_bytes
        return waiting + max(0, self.table.whole_rows() - self._next)

    def ahead(self, most: int) -> bytes:
        """The next whole rows in scope, in one piece; `most` of them at a time are read.

        Empty where there are none yet.
        """
        while not self._ahead:
            count = min(most, self.table.block_rows, self.table.whole_rows() - self._next)
            if count <= 0:
                break
            self._ahead = in_scope(self.table, self.table.read(self._next, count), self._steps)
            self._next += count
        return self._ahead

    def take(self, size: int) -> None:
        """The first `size` bytes of what is ahead have been dealt with."""
        self._ahead = self._ahead[size:]

    def first(self, steps: int | None) -> bytes:
        """The first row that was not taken, of those before step `steps`; empty without such."""
        while ahead := self.ahead(self.table.block_rows):
            within = in_scope(self.table, ahead, steps)
            if within:
                return within[: self.table.row_bytes]
            self.take(len(ahead))
        return b""


def blocks(table: Table, steps: int | None = None) -> Iterator[bytes]:
    """All rows that are there, in scope, as blocks of bounded size."""
    rows = Rows(table, steps)
    while block := rows.ahead(table.block_rows):
        yield block
        rows.take(len(block))


def in_scope(table: Table, rows: bytes, steps: int | None) -> bytes:
    """Of whole rows those that belong to a step before `steps`."""
    if steps is None:
        return rows
    import numpy as np

    matrix = np.frombuffer(rows, "<i8").reshape(-1, table.row_bytes // _STEP.size)
    within = matrix[:, 0] < steps
    return rows if within.all() else matrix[within].tobytes()


def step_of(row: bytes) -> int:
    """The step of the first row in `row`."""
    step: int = _STEP.unpack_from(row)[0]
    return step


def rows_before(table: Table, steps: int | None) -> int:
    """How many whole rows belong to a step before `steps` (None: all), of a table whose rows are
    in the order of their steps: only a few are read."""
    rows = table.whole_rows()
    if steps is None:
        return rows
    return bisect_left(range(rows), steps, key=lambda row: step_of(table.read(row, 1)))


def compared_tables(stream: Stream) -> dict[str, Table]:
    """By key, the tables that a verdict rests on: all but those of hints."""
    return {key: table for key, table in stream.tables.items() if not key.startswith(HINT)}


def compared_phases(*streams: Stream) -> set[str]:
    """The phases of which streams have records."""
    tables = [table for stream in streams for table in compared_tables(stream).values()]
    return {column.phase for table in tables if table.whole_rows() for column in table.columns}


def count_records(stream: Stream, steps: int | None = None) -> int:
    """How many records of a stream belong to a step before `steps` (None: all)."""
    return sum(
        _count_rows(table, steps) * len(table.columns) for table in compared_tables(stream).values()
    )


def _count_rows(table: Table, steps: int | None) -> int:
    if steps is None:
        return table.whole_rows()
    return sum(map(len, blocks(table, steps))) // table.row_bytes
