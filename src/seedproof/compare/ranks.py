"""Ranks of one run held against each other: after each update, do they have the same weights?

Data parallel training keeps them equal; where it does not, every rank trains a model of its own.
It says nothing about whether the training repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedproof.compare.rows import Rows, compared_tables
from seedproof.trace.format import VALUE, WORD_BYTES, Column
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Stream, Table

if TYPE_CHECKING:
    import numpy.typing as npt

    Words = npt.NDArray[Any]


@dataclass(frozen=True)
class RankAgreement:
    """Rank `rank` held against rank 0, `times` times.

    `equal` is None where they cannot be compared, with the `reason`; where it is False, `step` is
    the first update after which they differ, and `name` a weight that does.
    """

    rank: int
    equal: bool | None
    times: int = 0
    step: int | None = None
    name: str | None = None
    reason: str = ""


class _NotComparableError(Exception):
    """Two ranks whose weights cannot be held against each other, and why."""


def compare_ranks(trace: Trace, steps: int | None = None) -> tuple[RankAgreement, ...]:
    """Every other rank held against rank 0, as far as both have come before step `steps` (None: to
    their ends); empty for a run without ranks."""
    ranks = trace.ranks
    first = ranks.pop(0, trace.main)
    return tuple(_agreement(rank, first, ranks[rank], steps) for rank in sorted(ranks))


def _agreement(rank: int, first: Stream, other: Stream, steps: int | None) -> RankAgreement:
    try:
        pairs = _pairs(first, other, steps)
        found = [difference for pair in pairs if (difference := pair.first_difference())]
    except _NotComparableError as reason:
        return RankAgreement(rank, None, reason=str(reason))
    times = sum(pair.times for pair in pairs)
    step, name = min(found, default=(None, None))
    return RankAgreement(rank, step is None, times, step, name)


def _pairs(first: Stream, other: Stream, steps: int | None) -> list[_Pair]:
    """Of the tables with weights those that both ranks have."""
    trained = _named(first, "backward")
    pairs = []
    for key, table in compared_tables(first).items():
        twin = other.tables.get(key)
        if twin is None or not twin.whole_rows() or not table.whole_rows():
            continue
        weights = _weights(table, trained)
        if weights != _weights(twin, trained):
            raise _NotComparableError("their weights have other names or shapes")
        if weights:
            pairs.append(_Pair(table, twin, weights, steps))
    if not pairs:
        raise _NotComparableError("nothing was recorded of the same weights")
    return pairs


def _weights(table: Table, trained: set[str]) -> dict[int, Column]:
    """By place, the columns of weights; where gradients tell which are trained, of those alone:
    each rank has statistics of its own batches beside them."""
    return {
        place: column
        for place, column in enumerate(table.columns, 1)
        if column.phase == "update"
        and column.kind != VALUE
        and (not trained or column.name in trained)
    }


def _named(stream: Stream, phase: str) -> set[str]:
    tables = compared_tables(stream).values()
    return {column.name for table in tables for column in table.columns if column.phase == phase}


class _Pair:
    """A table of two ranks, of which the weights are compared; `times` counts equal rows."""

    def __init__(
        self, table: Table, twin: Table, weights: dict[int, Column], steps: int | None
    ) -> None:
        self.times = 0
        self._weights = weights
        self._ours = Rows(table, steps)
        self._theirs = Rows(twin, steps)

    def first_difference(self) -> tuple[int, str] | None:
        """The step and the name of the first weight that differs, None where all are equal."""
        while most := min(self._ours.unread(), self._theirs.unread()):
            ours, theirs = self._ours.ahead(most), self._theirs.ahead(most)
            size = min(len(ours), len(theirs))
            if not size:
                break
            a, b = self._words(ours[:size]), self._words(theirs[:size])
            differing = (a != b).any(axis=1)
            if differing.any():
                return self._difference(a, b, int(differing.argmax()))
            self.times += len(a)
            self._ours.take(size)
            self._theirs.take(size)
        return None

    def _words(self, rows: bytes) -> Words:
        """One row per update: the step, then the words of the weights."""
        import numpy as np

        matrix = np.frombuffer(rows, "<i8").reshape(-1, self._ours.table.row_bytes // WORD_BYTES)
        return matrix[:, [0, *self._weights]]

    def _difference(self, a: Words, b: Words, row: int) -> tuple[int, str]:
        self.times += row
        place = int((a[row] != b[row]).argmax())
        if place == 0:
            raise _NotComparableError("they did not make the same steps")
        return int(a[row, 0]), list(self._weights.values())[place - 1].name
