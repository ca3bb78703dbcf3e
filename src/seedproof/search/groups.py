"""Runs sorted into groups that are alike up to a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedproof.checking.outputs import compare_outputs
from seedproof.compare.comparison import Comparison
from seedproof.compare.divergence import Divergence
from seedproof.trace.reader import Trace


@dataclass(frozen=True)
class Run:
    """What a run left: its trace, and the directory with what it wrote, of which `outputs` are
    compared; `steps` is how far it was meant to go (None: to its end)."""

    trace: Trace = field(compare=False)
    directory: Path
    outputs: tuple[str, ...] = ()
    steps: int | None = None


class Groups:
    """Takes runs in one by one; what lies beyond `place` is not compared."""

    def __init__(self, place: Divergence, runs: Iterable[Run] = ()) -> None:
        self._place = place
        self._groups: list[list[Run]] = []
        self.add(runs)

    def add(self, runs: Iterable[Run]) -> None:
        """More runs, that all came past the place; each is taken in once."""
        for run in runs:
            if any(run in group for group in self._groups):
                continue
            alike = (one for one in self._groups if not part(one[0], run, self._place))
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


def part(one: Run, other: Run, place: Divergence | None = None) -> bool:
    """Whether two runs part before this place (None: anywhere), or in the same table or file there:
    what others hold of the same step and phase may have other causes."""
    found = divergences(one, other, place)
    if place is None or not place.table:
        written = compare_outputs(one.directory, other.directory, one.outputs).differences
        return bool(found) or any(place is None or file.path == place.name for file in written)
    here = (place.stream, place.table)
    return any(
        at.order < place.order or (at.order == place.order and (at.stream, at.table) == here)
        for at in found
    )


def divergences(one: Run, other: Run, place: Divergence | None) -> list[Divergence]:
    """Where the records of two runs part, up to the step of a place.

    How far a run is to go also says at which points the state of optimizers is recorded: of runs
    that were to go different ways far only bits and shapes are compared.
    """
    steps = max(place.step, 0) + 1 if place is not None and place.table else None
    comparison = Comparison(one.trace, other.trace, steps)
    comparison.finish()
    same = one.steps == other.steps
    return [at for at in comparison.divergences() if same or at.kind in ("bits", "shape")]
