"""Short runs under chosen pins or variations, and whether they part at a given place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from seedproof.checking import plan
from seedproof.checking.arm_state import ArmState
from seedproof.checking.outcome import ArmOutcome, conclude
from seedproof.checking.plan import Arm, Variation
from seedproof.compare.divergence import Divergence
from seedproof.launch import Launch, Value
from seedproof.search.groups import Groups, Run, part

CarryOut = Callable[[Arm, bool], ArmState]
Values = Callable[[Sequence[str]], Mapping[str, Value]]
"""The pins of sources, by their names."""


@dataclass(frozen=True)
class Trial:
    """Runs that were started alike, as far as they came; of what they wrote `outputs` are
    compared."""

    outcome: ArmOutcome
    state: ArmState
    outputs: tuple[str, ...] = ()
    _groups: dict[Divergence, Groups] = field(default_factory=dict, compare=False)

    @property
    def divergence(self) -> Divergence | None:
        """Where the first of them part."""
        return self.outcome.verdict.divergence

    def runs(self) -> list[Run]:
        """Those of which it is clear whether they part: they came to their ends, or part from run 0
        or it from them. Others were not begun, or were stopped before that."""
        told = [index for index in self.state.comparisons if self._has_told(index)]
        return [self.run(index) for index in ([0, *told] if told else told)]

    def groups(self, place: Divergence) -> Groups:
        """Its runs by what they come to at the place."""
        if place not in self._groups:
            self._groups[place] = Groups(place, self.runs())
        return self._groups[place]

    def parts_at(self, place: Divergence) -> bool:
        """Whether any two part there, or before."""
        return len(self.groups(place).sizes) > 1

    def agrees(self, place: Divergence) -> bool:
        """Whether all of its runs came past `place` and did not part there."""
        came_past = self.outcome.verdict.name == "identical" or self.divergence is not None
        return came_past and self.groups(place).sizes == [len(self.state.arm.runs)]

    def parts_before(self, place: Divergence) -> bool:
        """Whether any two part before it."""
        return any(
            found.order < place.order
            for one in self.state.comparisons.values()
            for found in one.divergences()
        )

    def _has_told(self, index: int) -> bool:
        end = self.state.exits.get(index)
        by_itself = end is not None and end.stopped is None
        return by_itself or self.state.comparisons[index].first() is not None

    def run(self, index: int) -> Run:
        """What this run of it left."""
        arm = self.state.arm.name
        directory = self.state.places.run(arm, index)
        return Run(self.state.traces[index], directory, self.outputs, self.state.steps)


def _looked_at(arm: Arm, step: int) -> Arm:
    runs = (replace(run, launch=run.launch.with_scope(close=step)) for run in arm.runs)
    return replace(arm, runs=tuple(runs))


class Trials:
    """Carries trials out and counts the runs that they took."""

    def __init__(
        self,
        base: Launch,
        pins: Mapping[str, Value],
        carry_out: CarryOut,
        outputs: Sequence[str] = (),
    ) -> None:
        self._base = base
        self._outputs = tuple(outputs)
        self._pins = pins
        self._carry_out = carry_out
        self._varied: list[Variation] = [plan.BARE]
        self._known: set[tuple[str, int]] = set()
        self._names: dict[tuple[object, ...], str] = {}

    @property
    def spent(self) -> int:
        """How many runs have been carried out."""
        return len(self._known)

    def whole(self, more: Mapping[str, Value], runs: int) -> Trial:
        """Runs with the user's pins and `more`, to their ends or to where they part."""
        arm = self._arm(f"whole{len(more)}", more, runs, None)
        return self._carried_out(arm, keep_going=False)

    def pinned(
        self, more: Mapping[str, Value], place: Divergence, runs: int, *, closely: bool = False
    ) -> Trial:
        """So many runs with the user's pins and `more`, a little further than `place`; those that
        were made before are among them. `closely`: at the step of `place` every operation is
        looked at."""
        # Metrics and outputs come after the update of their step, and before the next one.
        steps = place.step + 2 if place.table else None
        key = (steps, closely, *sorted(more))
        name = self._names.setdefault(key, f"trial{len(self._names) + 1}")
        arm = self._arm(name, more, runs, steps)
        if closely and place.step >= 0:
            arm = _looked_at(arm, place.step)
        return self._carried_out(arm, keep_going=True)

    def more(self, trial: Trial, runs: int) -> Trial:
        """The same trial with so many more runs."""
        arm = trial.state.arm
        last = arm.runs[-1]
        added = (replace(last, index=last.index + more) for more in range(1, runs + 1))
        return self._carried_out(replace(arm, runs=(*arm.runs, *added)), keep_going=True)

    def _arm(self, name: str, more: Mapping[str, Value], runs: int, steps: int | None) -> Arm:
        base = self._base if steps is None else self._base.with_scope(steps=steps)
        return plan.arm(name, {**self._pins, **more}, base, [plan.BARE] * runs)

    def varied(self, variation: Variation, pins: Mapping[str, Value] = {}) -> bool:
        """Whether one run that is varied so parts from one that is not; asked again for another
        variation, only that one is run."""
        name = "varied" if not pins else "varied-" + "-".join(pins)
        if pins:
            variations = [plan.BARE, variation]
        else:
            self._varied.append(variation)
            variations = self._varied
        arm = plan.arm(name, {**self._pins, **pins}, self._base, variations)
        trial = self._carried_out(arm, keep_going=True)
        return part(trial.run(0), trial.run(len(variations) - 1))

    def is_unvaried_like(self, first: Trial) -> bool:
        """Whether the run to which those that are varied are compared is like the `first` ones."""
        return not part(first.run(0), self.last_varied().run(0))

    def last_varied(self) -> Trial:
        """All runs that were varied so far."""
        arm = plan.arm("varied", self._pins, self._base, self._varied)
        return self._carried_out(arm, keep_going=True)

    def _carried_out(self, arm: Arm, keep_going: bool) -> Trial:
        state = self._carry_out(replace(arm, policy="trial"), keep_going)
        self._known |= {(arm.name, index) for index in state.begun}
        return Trial(conclude(state, self._outputs), state, self._outputs)
