"""Causes of runs that part by themselves: with a source pinned they agree, and released again they
part.

First they are looked at closely, where operations can be seen. Then what the script was seen to use
is tried, then the likely sources are halved, and then all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from seedproof.compare.divergence import Divergence
from seedproof.launch import Value
from seedproof.search import notes
from seedproof.search.evidence import Evidence, Tell
from seedproof.search.explanation import Cause, Explanation, Operation
from seedproof.search.groups import divergences
from seedproof.search.locate import first_operation
from seedproof.search.sufficient import sufficient
from seedproof.search.suspects import Suspects, has_kernels, likely_at, suspects
from seedproof.search.trials import Trial, Trials, Values

_RUNS_AGAIN = 2
_TIMES_FURTHER, _STEPS_FURTHER = 4, 100
_RUNS_FURTHER = (4, 8, 16)
_OFTEN_UNUSED = ("random", "numpy.random")


class ByPinning:
    """`values` gives the pins of sources, of which `pinned` are pinned anyway."""

    def __init__(
        self, trials: Trials, values: Values, pinned: Mapping[str, Value], tell: Tell
    ) -> None:
        self._trials = trials
        self._values = values
        self._pinned = pinned
        self._tell = tell
        self._operation: Operation | None = None
        self._moves = ""
        self._unnamed = ""
        self._remains = ""

    def explain(self, first: Trial, *, find_all: bool) -> Explanation:
        """Why the runs of `first` part: the first cause, or one after the other."""
        causes: list[Cause] = []
        fixed: dict[str, Value] = {}
        trial = first
        while trial.divergence is not None:
            found = self._cause_at(trial.divergence, trial, fixed)
            if found is None:
                break
            causes.append(found)
            fixed.update(self._values(found.sources))
            if not find_all:
                break
            trial = self._trials.whole(fixed, 2)
        return Explanation(
            first.outcome,
            tuple(causes),
            self._trials.spent,
            remains=self._remains,
            operation=self._operation,
            moves=self._moves,
            unnamed=self._unnamed,
        )

    def _cause_at(
        self, place: Divergence, trial: Trial, fixed: Mapping[str, Value]
    ) -> Cause | None:
        """What parts runs at this place, with what is `fixed` already; None where no pin helps, or
        where they part too seldom to tell."""
        evidence = Evidence(self._pinning(fixed, place), place, self._tell)
        evidence.release(trial)
        has_operations = place.step >= 0 and has_kernels(trial.outcome.frameworks)
        if has_operations:  # they say where to search
            evidence, released = self._release(trial, place, fixed, evidence)
        suspected = self._suspects(trial, place, fixed)
        sources = [] if self._remains else sufficient(suspected, evidence.agree)
        if not has_operations:
            evidence, released = self._release(trial, place, fixed, evidence)
        elif sources and not evidence.was_released_again(sources):
            evidence.release(self._trials.more(released, 1))
        if self._remains:
            return None
        evidence.be_sure()
        while sources and not evidence.agree(sources):  # by luck they did
            sources = sufficient(suspected, evidence.agree)
            if sources:
                evidence.be_sure()
        if not sources:
            self._remains = _no_pin(place)
            return None
        return Cause(
            tuple(sources),
            "proved" if evidence.is_sure() else "suspected",
            evidence.unpinned,
            evidence.pinned,
            notes.lines([trial, released], sources),
        )

    def _pinning(
        self, fixed: Mapping[str, Value], place: Divergence
    ) -> Callable[[Sequence[str], int], Trial]:
        def tried(names: Sequence[str], runs: int) -> Trial:
            return self._trials.pinned({**fixed, **self._values(names)}, place, runs)

        return tried

    def _suspects(self, trial: Trial, place: Divergence, fixed: Mapping[str, Value]) -> Suspects:
        found = trial.outcome
        differ = any(_speaks_for_seeds(hint, place) for hint in found.hints)
        likely = likely_at(place, found.frameworks, found.phases, self._operation)
        return suspects(notes.used(trial), differ, {*self._pinned, *fixed}, likely)

    # -- released ------------------------------------------------------------------------------

    def _release(
        self, trial: Trial, place: Divergence, fixed: Mapping[str, Value], evidence: Evidence
    ) -> tuple[Evidence, Trial]:
        """More runs as they are, and the evidence with them: of a later place, where these part
        only there."""
        released = self._released(trial, place, fixed)
        if not released.parts_at(place):
            place = replace(place, step=max(_TIMES_FURTHER * place.step, _STEPS_FURTHER))
            evidence = Evidence(self._pinning(fixed, place), place, self._tell)
            released = self._further_on(place, fixed)
        evidence.release(released)
        lacking = evidence.lacks_released()
        if lacking:
            self._tell(f"some of them agree as they are: {lacking} more runs show how often")
            released = self._trials.more(released, lacking)
            evidence.release(released)
        return evidence, released

    def _released(self, trial: Trial, place: Divergence, fixed: Mapping[str, Value]) -> Trial:
        """Runs looked at closely where that changes nothing; more of them where two agree."""
        released = self._trials.pinned(fixed, place, _RUNS_AGAIN, closely=True)
        self._unnamed = _why_unnamed(trial, released, place)
        closely = not self._unnamed  # what looking closely has changed proves nothing
        if not closely:
            released = self._trials.pinned(fixed, place, _RUNS_AGAIN)
        if not released.parts_at(place):
            released = self._trials.pinned(fixed, place, 2 * _RUNS_AGAIN, closely=closely)
        if closely and self._operation is None:
            self._operation = _first_operation(released, place)
        return released

    def _further_on(self, later: Divergence, fixed: Mapping[str, Value]) -> Trial:
        """Runs up to a later step, for a cause that strikes now here, now there."""
        for runs in _RUNS_FURTHER:
            released = self._trials.pinned(fixed, later, runs)
            found = released.groups(later)
            if len(found.sizes) > 1:
                self._moves = (
                    f"the step moves from run to run: {found.parted} of {sum(found.sizes)} part up "
                    f"to step {later.step}"
                )
                return released
        self._remains = _too_seldom(sum(found.sizes))
        return released


def _first_operation(released: Trial, place: Divergence) -> Operation | None:
    """Where two runs part that were looked at closely."""
    apart = released.groups(place).firsts()
    if len(apart) == 1:
        return None
    return first_operation(apart[0].trace, apart[1].trace, place.stream, place.step)


def _why_unnamed(plain: Trial, closely: Trial, place: Divergence) -> str:
    """Why runs that were looked at closely name no operation: they did not come as far as others,
    or were not the same as these up to there."""
    if not (closely.parts_at(place) or closely.agrees(place)):
        return "looked at closely, the script did not come so far"
    if _is_disturbed(plain, closely, place):
        return "looking closely changed what was computed before"
    return ""


def _is_disturbed(plain: Trial, closely: Trial, place: Divergence) -> bool:
    """Whether looking closely came to other bits before it came to the place, where neither runs
    that were looked at so nor the others part among themselves."""
    if plain.parts_before(place) or closely.parts_before(place):
        return False
    found = divergences(plain.run(0), closely.run(0), place)
    return any(at.order < place.order for at in found)


def _speaks_for_seeds(hint: Divergence, place: Divergence) -> bool:
    """A framework's own generator differed before; Python's and NumPy's do so in every script that
    seeds none but the framework's."""
    return hint.step < max(place.step, 0) and hint.name.split("/")[0] not in _OFTEN_UNUSED


def _no_pin(place: Divergence) -> str:
    return (
        "they part with everything pinned that can be: what is left is a race, or randomness that "
        f"no pin reaches, before {place.name} is made"
    )


def _too_seldom(runs: int) -> str:
    return f"they part too seldom to try any pin: of {runs} more runs, which went further, none did"
