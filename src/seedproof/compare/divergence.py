"""The first record, in logical order, at which two streams part."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from seedproof.trace.events import is_foreign
from seedproof.trace.format import BEFORE_TRAINING, PHASES, VALUE, Column, layout, row_struct
from seedproof.trace.reader import Stream, Table

_STEP = struct.Struct("<q")


@dataclass(frozen=True)
class Divergence:
    """Where two streams part.

    `kind` is `bits` (the same record with other bits), `shape` (another dtype or shape),
    `missing` or `extra` (a record that the second stream lacks, or has beyond the first), or
    `layout` (other names). `values` are the two metric values where the record is a metric.
    """

    step: int
    phase: str
    name: str
    kind: str
    table: str
    optimizer: int | None = None
    values: tuple[float, float] | None = None

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the logical order: the step, then the phase."""
        return self.step, PHASES.index(self.phase)

    @property
    def before_training(self) -> bool:
        """Whether it lies before the first update of the process."""
        return self.step == BEFORE_TRAINING


class Comparison:
    """Compares two streams as far as both have been written; each row is read once."""

    def __init__(self, reference: Stream, other: Stream) -> None:
        self.reference = reference
        self.other = other
        self.rows_compared = 0
        self.words_compared = 0
        self._equal_rows: dict[str, int] = {}
        self._found: dict[str, Divergence] = {}
        self._settled_steps: list[float] = []

    def advance(self) -> None:
        """Takes in what both have written since."""
        streams = (self.reference, self.other)
        # Asked before the rows are read, so that no row that they speak of is overlooked.
        watermarks = [stream.watermark() for stream in streams]
        for stream in streams:
            stream.refresh()
        self._settled_steps = [
            math.inf if stream.ended else watermark - 1
            for stream, watermark in zip(streams, watermarks, strict=True)
        ]
        if self.comparable():
            for key in self._common_tables():
                self._compare_tables(self.reference.tables[key], self.other.tables[key])

    def finish(self) -> None:
        """Both are complete: what only one of them has is a divergence too."""
        self.advance()
        if self.comparable():
            for key in self.reference.tables.keys() | self.other.tables.keys():
                if key not in self._found:
                    self._compare_ends(key)

    def comparable(self) -> bool:
        """Whether both say what they are, and that their records can be held against each other."""
        ours, theirs = self.reference.hello, self.other.hello
        if ours is None or theirs is None or is_foreign(ours) or is_foreign(theirs):
            return False
        return bool(ours["digest"] == theirs["digest"])

    def divergences(self) -> list[Divergence]:
        """The first divergence of each table, in logical order."""
        return sorted(self._found.values(), key=lambda found: (found.order, self._place(found)))

    def first(self) -> Divergence | None:
        """The earliest divergence seen so far."""
        return next(iter(self.divergences()), None)

    def settled(self) -> bool:
        """Whether nothing that is still to be written can lie before `first`.

        What comes after an update may belong to its step, so only the next update settles it.
        """
        first = self.first()
        return first is not None and all(first.step < steps for steps in self._settled_steps)

    def _place(self, found: Divergence) -> int:
        table = self.reference.tables.get(found.table) or self.other.tables[found.table]
        return table.number

    def _common_tables(self) -> list[str]:
        ours, theirs = self.reference.tables, self.other.tables
        return [key for key in ours if key in theirs and key not in self._found]

    def _compare_tables(self, table: Table, twin: Table) -> None:
        common = min(table.whole_rows(), twin.whole_rows())
        done = before = self._equal_rows.get(table.key, 0)
        if common and not done and layout(table.columns) != layout(twin.columns):
            self._found[table.key] = _other_layout(table, twin)
            return
        while done < common and table.key not in self._found:
            count = min(table.block_rows, common - done)
            ours, theirs = table.read(done, count), twin.read(done, count)
            if ours == theirs:
                done += count
            else:
                done += self._part(table, twin, ours, theirs)
        self.rows_compared += done - before
        self.words_compared += (done - before) * len(table.columns)
        self._equal_rows[table.key] = done

    def _part(self, table: Table, twin: Table, ours: bytes, theirs: bytes) -> int:
        """Notes the first row that differs; the number of equal rows before it."""
        width = table.row_bytes
        at = next(
            i for i in range(0, len(ours), width) if ours[i : i + width] != theirs[i : i + width]
        )
        row = row_struct(len(table.columns))
        a, b = row.unpack_from(ours, at), row.unpack_from(theirs, at)
        self._found[table.key] = _differing_row(table, twin, a, b)
        return at // width

    def _compare_ends(self, key: str) -> None:
        table, twin = self.reference.tables.get(key), self.other.tables.get(key)
        ours = table.whole_rows() if table else 0
        theirs = twin.whole_rows() if twin else 0
        if ours != theirs:
            longer = table if ours > theirs else twin
            assert longer is not None
            kind = "missing" if ours > theirs else "extra"
            step = _step_of(longer, min(ours, theirs))
            self._found[key] = _at_column(longer, longer.columns[0], step, kind)


def _differing_row(table: Table, twin: Table, a: tuple[int, ...], b: tuple[int, ...]) -> Divergence:
    if a[0] != b[0]:
        kind = "missing" if a[0] < b[0] else "extra"
        return _at_column(table, table.columns[0], min(a[0], b[0]), kind)
    differing = [at for at in range(len(table.columns)) if a[1 + at] != b[1 + at]]
    at = min(differing, key=lambda at: (PHASES.index(table.columns[at].phase), at))
    column, other = table.columns[at], twin.columns[at]
    if column.kind == VALUE:
        values = _double(a[1 + at]), _double(b[1 + at])
        return _at_column(table, column, a[0], "bits", values)
    same_type = (column.dtype, column.shape) == (other.dtype, other.shape)
    return _at_column(table, column, a[0], "bits" if same_type else "shape")


def _other_layout(table: Table, twin: Table) -> Divergence:
    """At the first column that has no twin; both tables have rows."""
    pairs = list(zip(table.columns, twin.columns, strict=False))
    alike = next((at for at, (a, b) in enumerate(pairs) if layout([a]) != layout([b])), len(pairs))
    odd = (*table.columns[alike:], *twin.columns[alike:])[0]
    return _at_column(table, odd, min(_step_of(table, 0), _step_of(twin, 0)), "layout")


def _step_of(table: Table, row: int) -> int:
    step: int = _STEP.unpack_from(table.read(row, 1))[0]
    return step


def _at_column(
    table: Table,
    column: Column,
    step: int,
    kind: str,
    values: tuple[float, float] | None = None,
) -> Divergence:
    return Divergence(
        step, column.phase, column.name, kind, table.key, _optimizer_of(table.key), values
    )


def _optimizer_of(key: str) -> int | None:
    owner = key.partition("#")[0]
    number = owner.removeprefix("optimizer")
    return int(number) if owner != number and number.isdigit() else None


def _double(word: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", word))[0]
    return value
