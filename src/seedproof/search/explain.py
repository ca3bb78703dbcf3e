"""Why runs part: the cause is proved by intervention, not guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedproof.launch import Value
from seedproof.search.by_pinning import ByPinning
from seedproof.search.by_varying import ByVarying, hidden_behind
from seedproof.search.evidence import Tell
from seedproof.search.explanation import Explanation
from seedproof.search.trials import Trial, Trials
from seedproof.sources import CATALOGUE

_RUNS_OF_A_RACE = 12


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

    def explain(self, runs: int, *, find_all: bool = False) -> Explanation:
        """The explanation, from `runs` runs as they are (fewer where they part at once)."""
        first = self._trials.whole({}, 2)
        if first.outcome.verdict.name == "identical" and runs > 2:
            first = self._trials.whole({}, runs)
        if first.outcome.verdict.name == "unknown" or first.outcome.exit_status not in (0, 1):
            return Explanation(first.outcome, runs=self._trials.spent)
        if first.outcome.verdict.name == "diverged":
            return self._by_pinning(first, find_all)
        return self._by_varying(first, find_all)

    def _by_pinning(self, first: Trial, find_all: bool) -> Explanation:
        search = ByPinning(self._trials, self._values, self._pinned, self._tell)
        return search.explain(first, find_all=find_all)

    def _by_varying(self, first: Trial, find_all: bool) -> Explanation:
        search = ByVarying(self._trials, self._values, self._pinned)
        causes = search.causes(first)
        if not search.parted_by_chance:
            spent = self._trials.spent
            return Explanation(first.outcome, causes, spent, hidden=hidden_behind(causes))
        self._tell(
            "a run parted from the others, and not again under the same conditions: "
            f"{_RUNS_OF_A_RACE} runs as they are look for what strikes now and then"
        )
        first = self._trials.whole({}, _RUNS_OF_A_RACE)
        if first.outcome.verdict.name == "diverged":
            return self._by_pinning(first, find_all)
        return Explanation(first.outcome, causes, self._trials.spent, remains=_BY_CHANCE)

    def _values(self, names: Sequence[str]) -> dict[str, Value]:
        return {name: self._value(name) for name in names}

    def _value(self, name: str) -> Value:
        source = CATALOGUE[name]
        return source.pinned(self._seed, self._threads) if source.strict is None else source.strict


_BY_CHANCE = (
    "a run parted from the others once, and not again under the same conditions: something strikes "
    f"now and then, though not in {_RUNS_OF_A_RACE} runs as they are; --runs 60 looks longer"
)
