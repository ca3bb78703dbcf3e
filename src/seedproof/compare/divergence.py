"""The first record, in logical order, at which two streams part."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from seedproof.trace.format import BEFORE_TRAINING, PHASES, Column, layout, row_struct
from seedproof.trace.reader import Stream, Table

_BLOCK_BYTES = 1 << 20


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

    def advance(self) -> None:
        """Takes in what both have written since."""
        self.reference.refresh()
        self.other.refresh()
        for key, table in self.reference.tables.items():
            twin = self.other.tables.get(key)
            if twin is not None and key not in self._found:
                self._compare_tables(table, twin)

    def finish(self) -> None:
        """Both are complete: what only one of them has is a divergence too."""
        self.advance()
        for key in self.reference.tables.keys() | self.other.tables.keys():
            if key not in self._found:
                self._compare_ends(key)

    def first(self) -> Divergence | None:
        """The earliest divergence seen so far."""
        return min(self._found.values(), key=lambda found: found.order, default=None)

    def settled(self) -> bool:
        """Whether nothing that is still to be written can lie before `first`."""
        first = self.first()
        return first is not None and all(
            stream.ended or stream.watermark() > first.step
            for stream in (self.reference, self.other)
        )

    def _compare_tables(self, table: Table, twin: Table) -> None:
        if layout(table.columns) != layout(twin.columns):
            self._found[table.key] = _other_layout(table, twin)
            return
        done = self._equal_rows.get(table.key, 0)
        common = min(table.whole_rows(), twin.whole_rows())
        block = max(1, _BLOCK_BYTES // table.row_bytes)
        while done < common and table.key not in self._found:
            count = min(block, common - done)
            ours, theirs = table.read(done, count), twin.read(done, count)
            if ours == theirs:
                done += count
            else:
                done += self._part(table, twin, ours, theirs)
        self.rows_compared += done - self._equal_rows.get(table.key, 0)
        self.words_compared += (done - self._equal_rows.get(table.key, 0)) * len(table.columns)
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
            step = struct.unpack_from("<q", longer.read(min(ours, theirs), 1))[0]
            kind = "missing" if ours > theirs else "extra"
            self._found[key] = _at_column(longer, longer.columns[0], step, kind)


def _differing_row(table: Table, twin: Table, a: tuple[int, ...], b: tuple[int, ...]) -> Divergence:
    if a[0] != b[0]:
        kind = "missing" if a[0] < b[0] else "extra"
        return _at_column(table, table.columns[0], min(a[0], b[0]), kind)
    differing = [at for at in range(len(table.columns)) if a[1 + at] != b[1 + at]]
    at = min(differing, key=lambda at: (PHASES.index(table.columns[at].phase), at))
    column, other = table.columns[at], twin.columns[at]
    if column.kind == "value":
        values = _double(a[1 + at]), _double(b[1 + at])
        return _at_column(table, column, a[0], "bits", values)
    same_type = (column.dtype, column.shape) == (other.dtype, other.shape)
    return _at_column(table, column, a[0], "bits" if same_type else "shape")


def _other_layout(table: Table, twin: Table) -> Divergence:
    pairs = zip(table.columns, twin.columns, strict=False)
    fallback = (*table.columns, *twin.columns)[min(len(table.columns), len(twin.columns)) :]
    odd = next((a for a, b in pairs if layout([a]) != layout([b])), None)
    step = struct.unpack_from("<q", table.read(0, 1) or b"\xff" * 8)[0]
    return _at_column(table, odd or (*fallback, table.columns[0])[0], step, "layout")


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
