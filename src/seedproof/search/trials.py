"""Short runs under chosen pins or variations, and how often they part at a given place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from seedproof.checking import plan
from seedproof.checking.arm_state import ArmState
from seedproof.checking.outcome import ArmOutcome, conclude
from seedproof.checking.plan import Arm, Variation
from seedproof.compare.comparison import Comparison
from seedproof.compare.divergence import Divergence
from seedproof.launch import Launch, Value

CarryOut = Callable[[Arm, bool], ArmState]


@dataclass(frozen=True)
class Count:
    """Of `runs` runs, `parted` differ from others at the place in question; of the `pairs` that
    were compared, `parted_pairs` do."""

    parted: int
    runs: int
    parted_pairs: int
    pairs: int

    def __add__(self, other: Count) -> Count:
        return Count(
            self.parted + other.parted,
            self.runs + other.runs,
            self.parted_pairs + other.parted_pairs,
            self.pairs + other.pairs,
        )

    @property
    def rate(self) -> float:
        """How often two runs part, as far as it was seen."""
        return self.parted_pairs / self.pairs if self.pairs else 0.0


@dataclass(frozen=True)
class Trial:
    """Runs that were started alike, as far as they came."""

    outcome: ArmOutcome
    state: ArmState

    @property
    def divergence(self) -> Divergence | None:
        """Where the first of them part."""
        return self.outcome.verdict.divergence

    def parts_at(self, place: Divergence) -> bool:
        """Whether any two part there, or before."""
        return any(_parts(one, place) for one in self.state.comparisons.values())

    def parts_before(self, place: Divergence) -> bool:
        """Whether any two part before it."""
        return any(
            found.order < place.order
            for one in self.state.comparisons.values()
            for found in one.divergences()
        )

    def count(self, place: Divergence) -> Count:
        """How many of its runs part from others there, or before; those that were not begun, or
        that were stopped before it was clear, do not count."""
        clear = [one for index, one in self.state.comparisons.items() if self._is_clear(index)]
        parted = sum(_parts(one, place) for one in clear)
        alone = bool(clear) and parted == len(clear)
        return Count(parted + alone, len(clear) + 1, parted, len(clear))

    def _is_clear(self, index: int) -> bool:
        end = self.state.exits.get(index)
        by_itself = end is not None and end.stopped is None
        return by_itself or self.state.comparisons[index].first() is not None

    def agrees(self, place: Divergence) -> bool:
        """Whether all of its runs came past `place` and did not part there."""
        came_past = self.outcome.verdict.name == "identical" or self.divergence is not None
        return came_past and not self.parts_at(place)


def _looked_at(arm: Arm, step: int) -> Arm:
    runs = (replace(run, launch=run.launch.with_scope(close=step)) for run in arm.runs)
    return replace(arm, runs=tuple(runs))


def _parts(comparison: Comparison, place: Divergence) -> bool:
    """Whether two runs part before this place, or in the same table there: what other tables hold
    of the same step and phase may have other causes."""
    here = (place.stream, place.table)
    return any(
        found.order < place.order
        or (found.order == place.order and (found.stream, found.table) == here)
        for found in comparison.divergences()
    )


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
        self._outputs = outputs
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
        return trial.state.comparisons[len(variations) - 1].first() is not None

    def last_varied(self) -> Trial:
        """All runs that were varied so far."""
        arm = plan.arm("varied", self._pins, self._base, self._varied)
        return self._carried_out(arm, keep_going=True)

    def _carried_out(self, arm: Arm, keep_going: bool) -> Trial:
        state = self._carry_out(replace(arm, policy="trial"), keep_going)
        self._known |= {(arm.name, index) for index in state.begun}
        return Trial(conclude(state, self._outputs), state)
