"""What trials with pins have shown about one place at which runs part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedproof.compare.divergence import Divergence
from seedproof.search.trials import Count, Trial

Tried = Callable[[Sequence[str], int], Trial]
PAIRS_WHERE_ALL_PART = 2


class Evidence:
    """`tried(names, runs)` makes so many runs with these sources pinned, and `needed` is the
    number of pairs that must agree, so that it is not by luck."""

    def __init__(self, tried: Tried, place: Divergence, needed: int) -> None:
        self._tried = tried
        self._place = place
        self._needed = needed
        self._agreed: dict[frozenset[str], Count] = {}

    def agree(self, names: Sequence[str]) -> bool:
        """Whether runs agree at the place with these pinned.

        One pair tells where every pair was seen to part; elsewhere it can be luck, and as many
        agree as are needed.
        """
        for runs in (2, 1 + self._needed) if self._needed > PAIRS_WHERE_ALL_PART else (2,):
            trial = self._tried(names, runs)
            if not trial.agrees(self._place):
                return False
        self._agreed[frozenset(names)] = trial.count(self._place)
        return True

    def of(self, sources: Sequence[str]) -> Count:
        """The runs in which these were pinned, perhaps with others, and which agreed; more are
        made where they are too few."""
        missing = self._needed - self._pinned(sources).pairs
        if missing > 0:
            alone = self._agreed[frozenset(sources)]
            trial = self._tried(sources, alone.runs + missing)
            self._agreed[frozenset(sources)] = trial.count(self._place)
        return self._pinned(sources)

    def _pinned(self, sources: Sequence[str]) -> Count:
        found = (count for names, count in self._agreed.items() if names.issuperset(sources))
        return sum(found, Count(0, 0, 0, 0))
