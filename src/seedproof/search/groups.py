"""Runs sorted into groups that are alike up to a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedproof.checking.outputs import compare_outputs
from seedproof.compare.comparison import Comparison
from seedproof.compare.divergence import Divergence
from seedproof.trace.reader import Trace


@dataclass(frozen=True)
class Run:
    """What a run left: its trace, and the directory with what it wrote, of which `outputs` are
    compared; `steps` is how far it was meant to go (None: to its end)."""

    trace: Trace
    directory: Path
    outputs: tuple[str, ...] = ()
    steps: int | None = None


class Groups:
    """Takes runs in one by one; what lies beyond `place` is not compared (None: all is)."""

    def __init__(self, place: Divergence | None, runs: Iterable[Run] = ()) -> None:
        self._place = place
        self._groups: list[list[Run]] = []
        self.add(runs)

    def add(self, runs: Iterable[Run]) -> None:
        """More runs, that all came past the place."""
        for run in runs:
            alike = (one for one in self._groups if not _part(one[0], run, self._place))
            group = next(alike, None)
            if group is None:
                self._groups.append([run])
            else:
                group.append(run)

    def firsts(self) -> list[Run]:
        """The first run of each group."""
        return [group[0] for group in self._groups]

    @property
    def sizes(self) -> Sequence[int]:
        """How many runs each group has."""
        return [len(group) for group in self._groups]

    @property
    def parted(self) -> int:
        """How many runs are not like most of them; all, where no two are alike."""
        most = max(self.sizes, default=0)
        return sum(self.sizes) - (most if most > 1 or len(self.sizes) == 1 else 0)


def _part(one: Run, other: Run, place: Divergence | None) -> bool:
    """Whether two runs part before this place, or in the same table or file there: what others hold
    of the same step and phase may have other causes."""
    comparison = Comparison(one.trace, other.trace, _steps(place))
    comparison.finish()
    found = comparison.divergences()
    if one.steps != other.steps:
        found = without_points(found)
    if place is None or not place.table:
        written = compare_outputs(one.directory, other.directory, one.outputs).differences
        return bool(found) or any(place is None or file.path == place.name for file in written)
    here = (place.stream, place.table)
    return any(
        at.order < place.order or (at.order == place.order and (at.stream, at.table) == here)
        for at in found
    )


def without_points(found: Sequence[Divergence]) -> list[Divergence]:
    """Those that part runs that were to go as far as each other or not: how far says at which
    points the state of optimizers is recorded, too."""
    return [at for at in found if at.kind in ("bits", "shape")]


def _steps(place: Divergence | None) -> int | None:
    """How many steps lie before the end of a place; None where it is at the end of the runs."""
    return None if place is None or not place.table else max(place.step, 0) + 1
