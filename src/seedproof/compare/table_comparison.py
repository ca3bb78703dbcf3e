"""Compares two tables of one key, row by row, as far as both have been written."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from seedproof.compare.divergence import Divergence
from seedproof.compare.rows import Rows, step_of
from seedproof.trace.format import PHASES, VALUE, Column, layout, row_struct
from seedproof.trace.stream import Table

_NUMBER = re.compile(r"[0-9]{1,9}")


class TableComparison:
    """`found` is where the two tables part, `equal_rows` how many rows before it are the same;
    rows at steps from `steps` on (None: no such) are passed over."""

    def __init__(self, role: str, table: Table, twin: Table, steps: int | None) -> None:
        self.found: Divergence | None = None
        self.equal_rows = 0
        self._role = role
        self._table = table
        self._twin = twin
        self._ours = Rows(table, steps)
        self._theirs = Rows(twin, steps)
        self._comparable = layout(table.columns) == layout(twin.columns)

    @property
    def equal_words(self) -> int:
        """How many records these rows hold."""
        return self.equal_rows * len(self._table.columns)

    def advance(self) -> None:
        """Takes in the rows that both have."""
        while self.found is None and (most := min(self._ours.unread(), self._theirs.unread())):
            ours, theirs = self._ours.ahead(most), self._theirs.ahead(most)
            if not ours or not theirs:
                break
            if self._comparable:
                self._compare(ours, theirs)
            else:
                self.found = self._other_layout(ours, theirs)

    def finish(self, steps: int | None) -> None:
        """Both are complete: a row before step `steps` that only one has is a divergence."""
        sides = (("missing", self._ours), ("extra", self._theirs))
        for kind, rows in sides:
            row = rows.first(steps) if self.found is None else b""
            if row:
                self.found = only_in_one(self._role, rows.table, row, kind)

    def _compare(self, ours: bytes, theirs: bytes) -> None:
        size, width = min(len(ours), len(theirs)), self._table.row_bytes
        if ours[:size] != theirs[:size]:
            ends = range(width, size + 1, width)
            size = next(end for end in ends if ours[end - width : end] != theirs[end - width : end])
            row = row_struct(len(self._table.columns))
            self.found = self._differing_row(
                row.unpack_from(ours, size - width), row.unpack_from(theirs, size - width)
            )
            size -= width
        self.equal_rows += size // width
        self._ours.take(size)
        self._theirs.take(size)

    def _differing_row(self, a: tuple[int, ...], b: tuple[int, ...]) -> Divergence:
        columns = self._table.columns
        if a[0] != b[0]:
            kind = "missing" if a[0] < b[0] else "extra"
            return _at_column(self._role, self._table, _first(columns), min(a[0], b[0]), kind)
        differing = [at for at in range(len(columns)) if a[1 + at] != b[1 + at]]
        at = min(differing, key=lambda at: (PHASES.index(columns[at].phase), at))
        column, other = columns[at], self._twin.columns[at]
        if column.kind == VALUE:
            values = _double(a[1 + at]), _double(b[1 + at])
            return _at_column(self._role, self._table, column, a[0], "bits", values)
        same_type = (column.dtype, column.shape) == (other.dtype, other.shape)
        kind = "bits" if same_type else "shape"
        return _at_column(self._role, self._table, column, a[0], kind)

    def _other_layout(self, ours: bytes, theirs: bytes) -> Divergence:
        """At the first column that has no twin."""
        columns, others = self._table.columns, self._twin.columns
        pairs = enumerate(zip(columns, others, strict=False))
        alike = next(
            (at for at, (a, b) in pairs if layout([a]) != layout([b])),
            min(len(columns), len(others)),
        )
        odd = (*columns[alike:], *others[alike:])[0]
        step = min(step_of(ours), step_of(theirs))
        return _at_column(self._role, self._table, odd, step, "layout")


def only_in_one(role: str, table: Table, row: bytes, kind: str) -> Divergence:
    """A row that the other run does not have, by the first of its records."""
    return _at_column(role, table, _first(table.columns), step_of(row), kind)


def _first(columns: Sequence[Column]) -> Column:
    return min(columns, key=lambda column: PHASES.index(column.phase))


def _at_column(
    role: str,
    table: Table,
    column: Column,
    step: int,
    kind: str,
    values: tuple[float, float] | None = None,
) -> Divergence:
    return Divergence(
        step, column.phase, column.name, kind, table.key, _optimizer_of(table.key), values, role
    )


def _optimizer_of(key: str) -> int | None:
    owner = key.partition("#")[0]
    number = owner.removeprefix("optimizer")
    return int(number) if owner != number and _NUMBER.fullmatch(number) else None


def _double(word: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", word))[0]
    return value
