"""Why runs part: the cause is proved by intervention, not guessed.

With a source pinned the runs agree, and released again they part. What the script was seen to use
is tried first, then the likely ones are halved, the most specific first, and then all. Where
nothing parts by itself, what a second machine or another day would vary is varied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seedproof.compare.comparison import Comparison
from seedproof.compare.divergence import Divergence
from seedproof.launch import Value
from seedproof.search.evidence import PAIRS_WHERE_ALL_PART, Evidence
from seedproof.search.explanation import Cause, Explanation, Operation, Use
from seedproof.search.locate import first_operation
from seedproof.search.minimal import minimal
from seedproof.search.sufficient import sufficient
from seedproof.search.suspects import Suspects, suspects
from seedproof.search.trials import Count, Trial, Trials
from seedproof.sources import CATALOGUE, uses

_LUCK = 0.05
_MOST_RUNS_TO_BE_SURE = 60
_RUNS_TO_SEE_AGAIN = 4
_TIMES_FURTHER, _STEPS_FURTHER = 4, 100
_CHOICES = (1, 0)  # two values of each source: one at least is not what this machine offers
_OFTEN_UNUSED = ("random", "numpy.random")
Tell = Callable[[str], None]


class Search:
    """Finds the causes of one script; `pinned` is what the user pinned anyway."""

    def __init__(
        self, trials: Trials, seed: int, threads: int, pinned: Mapping[str, Value], tell: Tell
    ) -> None:
        self._trials = trials
        self._seed = seed
        self._threads = threads
        self._pinned = dict(pinned)
        self._tell = tell
        self._operation: Operation | None = None
        self._moves = ""
        self._unnamed = ""

    def explain(self, runs: int, *, find_all: bool = False) -> Explanation:
        """The explanation, from `runs` runs as they are (fewer where they part at once)."""
        first = self._trials.whole({}, 2)
        if first.outcome.verdict.name == "identical" and runs > 2:
            first = self._trials.whole({}, runs)
        if first.outcome.verdict.name == "unknown" or first.outcome.exit_status not in (0, 1):
            return Explanation(first.outcome, runs=self._trials.spent)
        if first.outcome.verdict.name == "identical":
            causes = self._by_varying(first)
            spent = self._trials.spent
            return Explanation(first.outcome, causes, spent, hidden=_hidden_behind(causes))
        causes, remains = self._by_pinning(first, find_all)
        return Explanation(
            first.outcome,
            causes,
            self._trials.spent,
            remains=remains,
            operation=self._operation,
            moves=self._moves,
            unnamed=self._unnamed,
        )

    # -- runs that part by themselves ----------------------------------------------------------

    def _by_pinning(self, first: Trial, find_all: bool) -> tuple[tuple[Cause, ...], str]:
        causes: list[Cause] = []
        fixed: dict[str, Value] = {}
        trial: Trial = first
        while trial.divergence is not None:
            found = self._cause_at(trial.divergence, trial, fixed)
            if found is None:
                return tuple(causes), _remains(trial.divergence)
            causes.append(found)
            fixed.update(self._values(found.sources))
            if not find_all:
                break
            trial = self._trials.whole(fixed, 2)
        return tuple(causes), ""

    def _cause_at(
        self, place: Divergence, trial: Trial, fixed: Mapping[str, Value]
    ) -> Cause | None:
        """What parts runs at this place, with what is `fixed` already; None where no pin helps."""
        evidence = Evidence(
            self._pinning(fixed, place), place, self._runs_to_be_sure(trial.count(place))
        )
        sources = sufficient(self._suspects(trial, place, fixed), evidence.agree)
        released = self._trials.pinned(fixed, place, 2, closely=True)
        self._look_closely(released, trial, place)
        if not sources:
            return None
        if self._unnamed:  # what looking closely has changed proves nothing
            released = self._trials.pinned(fixed, place, 2)
        strikes_again = released.parts_at(place)
        further = None if strikes_again else self._further_on(sources, place, fixed)
        if further is None:
            unpinned, pinned = trial.count(place) + released.count(place), evidence.of(sources)
        else:
            released, unpinned, pinned = further
        proved = (strikes_again or further is not None) and _is_sure(unpinned, pinned)
        lines = _lines([trial, released], sources)
        status = "proved" if proved else "suspected"
        return Cause(tuple(sources), status, unpinned, pinned, lines)  # type: ignore[arg-type]

    def _look_closely(self, released: Trial, plain: Trial, place: Divergence) -> None:
        """Where runs that were looked at closely part, if they came as far as others and were the
        same as these up to there."""
        self._unnamed = ""
        if not (released.parts_at(place) or released.agrees(place)):
            self._unnamed = "looked at closely, the script did not come so far"
        elif _is_disturbed(plain, released, place):
            self._unnamed = "looking closely changed what was computed before"
        elif self._operation is None and released.parts_at(place):
            first, second = (released.state.traces[index] for index in (0, 1))
            self._operation = first_operation(first, second, place.stream, place.step)

    def _further_on(
        self, sources: Sequence[str], place: Divergence, fixed: Mapping[str, Value]
    ) -> tuple[Trial, Count, Count] | None:
        """The runs released again, and how many part without and with the pins, for a cause that
        strikes now here, now there: up to a later step. None where that shows no more."""
        later = replace(place, step=max(_TIMES_FURTHER * place.step, _STEPS_FURTHER))
        released = self._trials.pinned(fixed, later, _RUNS_TO_SEE_AGAIN)
        if not released.parts_at(later):
            return None
        unpinned = released.count(later)
        self._moves = (
            f"the step moves from run to run: {unpinned.parted} of {unpinned.runs} part up to step "
            f"{later.step}"
        )
        evidence = Evidence(self._pinning(fixed, later), later, self._runs_to_be_sure(unpinned))
        if not evidence.agree(sources):
            return None
        return released, unpinned, evidence.of(sources)

    def _pinning(
        self, fixed: Mapping[str, Value], place: Divergence
    ) -> Callable[[Sequence[str], int], Trial]:
        def tried(names: Sequence[str], runs: int) -> Trial:
            return self._trials.pinned({**fixed, **self._values(names)}, place, runs)

        return tried

    def _suspects(self, trial: Trial, place: Divergence, fixed: Mapping[str, Value]) -> Suspects:
        differ = any(_speaks_for_seeds(hint, place) for hint in trial.outcome.hints)
        return suspects(_used(trial), differ, {*self._pinned, *fixed})

    def _runs_to_be_sure(self, seen: Count) -> int:
        """How many pairs of runs must agree, so that luck is below 5%."""
        if seen.rate in (0, 1):
            return PAIRS_WHERE_ALL_PART
        needed = math.ceil(math.log(_LUCK) / math.log(1 - seen.rate))
        needed = min(max(2, needed), _MOST_RUNS_TO_BE_SURE)
        self._tell(
            f"the runs part in {seen.parted} of {seen.runs}: each pin is tried with {needed + 1} "
            "runs, so that they agree by luck in less than 5%"
        )
        return needed

    def _values(self, names: Sequence[str]) -> dict[str, Value]:
        return {name: self._value(name) for name in names}

    def _value(self, name: str) -> Value:
        source = CATALOGUE[name]
        return source.pinned(self._seed, self._threads) if source.strict is None else source.strict

    # -- runs that agree here ------------------------------------------------------------------

    def _by_varying(self, first: Trial) -> tuple[Cause, ...]:
        """What of a second machine, or another day, would part them: first what the script was
        seen to use, then all the rest at once; and of either the least that parts them."""
        causes: list[Cause] = []
        used = _used(first)
        # It stands before those that act through it.
        order = dict.fromkeys(("environment", *suspects(used, False, self._pinned).all))
        left = [name for name in order if name not in ("seeds", *self._pinned)]
        for choice in _CHOICES:
            for seen_in_use in (True, False):
                while found := self._parting(
                    [name for name in left if name in used or not seen_in_use], choice
                ):
                    causes.append(self._cause_of_varying(found, choice))
                    gone = {*found, *_hidden_behind(causes)}
                    left = [name for name in left if name not in gone]
        return tuple(causes)

    def _parting(self, names: Sequence[str], choice: int) -> list[str]:
        """The least of these that parts the runs when it is varied; empty where nothing does."""

        def parts(some: Sequence[str]) -> bool:
            return self._trials.varied(_variation(some, choice))

        return minimal(names, parts) if names and parts(names) else []

    def _cause_of_varying(self, names: Sequence[str], choice: int) -> Cause:
        """Varied again they part again; pinned, they do not, although they are varied."""
        variation = _variation(names, choice)
        again = self._trials.varied(variation)
        held = not self._trials.varied(variation, self._values(names))
        unpinned = Count(1 + again, 2, 1 + again, 2)
        pinned = Count(2 * (not held), 2, int(not held), 1)
        status = "proved" if again and held else "suspected"
        lines = _lines([self._trials.last_varied()], names)
        return Cause(tuple(names), status, unpinned, pinned, lines, varied=True)  # type: ignore[arg-type]


def _variation(names: Sequence[str], choice: int) -> dict[str, Value]:
    """Of each source the value number `choice` that it proposes."""
    return {name: CATALOGUE[name].variations()[choice] for name in names}


def _hidden_behind(causes: Sequence[Cause]) -> tuple[str, ...]:
    """The sources that cannot be told apart from a cause that was found: where a script was seen to
    read all of its environment, whatever changes a variable parts it."""
    uses = (use.source for cause in causes if cause.varied for use in cause.lines)
    if "environment" not in uses:
        return ()
    return tuple(source.id for source in CATALOGUE.values() if source.by_variables)


def _speaks_for_seeds(hint: Divergence, place: Divergence) -> bool:
    """A framework's own generator differed before; Python's and NumPy's do so in every script that
    seeds none but the framework's."""
    return hint.step < max(place.step, 0) and hint.name.split("/")[0] not in _OFTEN_UNUSED


def _is_sure(unpinned: Count, pinned: Count) -> bool:
    """Whether so many runs would agree by luck in less than 5% of such searches."""
    return pinned.parted == 0 and (1 - unpinned.rate) ** pinned.pairs < _LUCK


def _is_disturbed(plain: Trial, released: Trial, place: Divergence) -> bool:
    """Whether looking closely came to other bits before it came to the place, where neither runs
    that were looked at so nor the others part among themselves."""
    if plain.parts_before(place) or released.parts_before(place):
        return False
    comparison = Comparison(plain.state.traces[0], released.state.traces[0], max(place.step, 0))
    comparison.advance()
    return comparison.first() is not None


def _used(trial: Trial) -> set[str]:
    """The sources that the script's own files were seen to use."""
    return {event["source"] for trace in trial.state.traces.values() for event in trace.all("used")}


def _lines(trials: Sequence[Trial], sources: Sequence[str]) -> tuple[Use, ...]:
    """Where they were used so that it can matter; a view under another path has the same files."""
    found = {
        (Path(event["file"]).name, event["line"]): Use(
            event["file"], event["line"], event["source"]
        )
        for trial in trials
        for trace in trial.state.traces.values()
        for event in trace.all("used")
        if event["source"] in sources and uses.matters(event, _text(event["file"]))
    }
    return tuple(found.values())


def _text(file: str) -> str:
    """What stands in a file of the script's, empty where it is not to be had any more."""
    try:
        return Path(file).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _remains(place: Divergence) -> str:
    return (
        "they part with everything pinned that can be: what is left is a race, or randomness that "
        f"no pin reaches, before {place.name} is made"
    )
