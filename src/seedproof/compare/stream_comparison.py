"""Compares two streams of one role, table by table, as far as both have been written."""

from __future__ import annotations

import math
from collections.abc import Iterable

from seedproof.compare.divergence import Divergence
from seedproof.compare.rows import Rows, compared_tables
from seedproof.compare.table_comparison import TableComparison, only_in_one
from seedproof.trace.events import is_foreign
from seedproof.trace.format import HINT
from seedproof.trace.stream import Stream


class StreamComparison:
    """Each row is read once; what belongs to a step from `steps` on (None: no such) is ignored."""

    def __init__(
        self, role: str, reference: Stream, other: Stream, steps: int | None = None
    ) -> None:
        self.role = role
        self.reference = reference
        self.other = other
        self._steps = steps
        self._tables: dict[str, TableComparison] = {}
        self._only_in_one: dict[str, Divergence] = {}
        self._settled_steps: list[float] = []

    def advance(self) -> None:
        """Takes in what both have written since."""
        if self._settled_steps == [math.inf, math.inf]:
            return  # both have ended, and were read to their ends
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
            self._add_tables()
            for table in self._tables.values():
                table.advance()

    def finish(self, steps: int | None = None) -> None:
        """Both are complete: what only one of them has before step `steps` is a divergence too."""
        if not self.comparable():
            return
        for table in self._tables.values():
            table.finish(steps)
        for kind, ours, theirs in (
            ("missing", self.reference, self.other),
            ("extra", self.other, self.reference),
        ):
            for key in ours.tables.keys() - theirs.tables.keys():
                row = Rows(ours.tables[key], self._steps).first(steps)
                if row:
                    self._only_in_one[key] = only_in_one(self.role, ours.tables[key], row, kind)

    def comparable(self) -> bool:
        """Whether both say what they are, and that their records can be held against each other."""
        ours, theirs = self.reference.hello, self.other.hello
        if ours is None or theirs is None or is_foreign(ours) or is_foreign(theirs):
            return False
        return bool(ours["digest"] == theirs["digest"])

    def divergences(self) -> list[Divergence]:
        """The first divergence of each table, in logical order."""
        return self._in_order(found for found in self._found() if not _is_hint(found.table))

    def hints(self) -> list[Divergence]:
        """Where the states of random generators part, in logical order: none proves anything."""
        return self._in_order(found for found in self._found() if _is_hint(found.table))

    @property
    def rows_compared(self) -> int:
        """How many rows of both are the same."""
        return sum(table.equal_rows for table in self._compared())

    @property
    def words_compared(self) -> int:
        """How many records of both are the same."""
        return sum(table.equal_words for table in self._compared())

    def settled(self, step: int) -> bool:
        """Whether nothing that is still to be written can belong to `step` or lie before it.

        What comes after an update may belong to its step, so only the next update settles it.
        """
        return bool(self._settled_steps) and all(step < steps for steps in self._settled_steps)

    def _compared(self) -> list[TableComparison]:
        return [table for key, table in self._tables.items() if not _is_hint(key)]

    def _add_tables(self) -> None:
        for key, table in self.reference.tables.items():
            if key not in self._tables and key in self.other.tables:
                twin = self.other.tables[key]
                self._tables[key] = TableComparison(self.role, table, twin, self._steps)

    def _found(self) -> list[Divergence]:
        in_both = [table.found for table in self._tables.values() if table.found is not None]
        return [*in_both, *self._only_in_one.values()]

    def _in_order(self, found: Iterable[Divergence]) -> list[Divergence]:
        return sorted(found, key=lambda one: (one.order, self._place(one)))

    def _place(self, found: Divergence) -> int:
        table = self.reference.tables.get(found.table) or self.other.tables[found.table]
        return table.number


def only_stream(role: str, stream: Stream, kind: str, steps: int | None) -> Divergence | None:
    """The first record of a stream that only one run has; None where it has none."""
    first = ((table, Rows(table).first(steps)) for table in compared_tables(stream).values())
    found = [only_in_one(role, table, row, kind) for table, row in first if row]
    return min(found, key=lambda one: one.order, default=None)


def _is_hint(key: str) -> bool:
    return key.startswith(HINT)
