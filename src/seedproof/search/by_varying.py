"""Causes that part runs only on another machine or another day: what these would vary is varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedproof.launch import Value
from seedproof.search import notes
from seedproof.search.explanation import Cause, Count
from seedproof.search.minimal import minimal
from seedproof.search.suspects import suspects
from seedproof.search.trials import Trial, Trials, Values
from seedproof.sources import CATALOGUE

_CHOICES = (1, 0)  # two values of each source: one at least is not what this machine offers
_TIMES_AGAIN = 2


class ByVarying:
    """`values` gives the pins of sources, of which `pinned` are pinned anyway.

    A run that parts by chance, whatever is varied, must not be taken for a cause: what parts once
    has to do so again, not where it is pinned, and the run that is not varied has to agree with
    those before.
    """

    def __init__(self, trials: Trials, values: Values, pinned: Mapping[str, Value]) -> None:
        self._trials = trials
        self._values = values
        self._pinned = pinned
        self.parted_by_chance = False

    def causes(self, first: Trial) -> tuple[Cause, ...]:
        """First what the script was seen to use is varied, then all the rest at once; and of either
        the least that parts runs is a cause. None is added once runs part by chance."""
        found: list[Cause] = []
        used = notes.used(first)
        # It stands before those that act through it.
        order = dict.fromkeys(("environment", *suspects(used, False, self._pinned).all))
        left = [name for name in order if name not in ("seeds", *self._pinned)]
        for choice in _CHOICES:
            for seen_in_use in (True, False):
                while cause := self._cause(
                    [name for name in left if name in used or not seen_in_use], choice, first
                ):
                    found.append(cause)
                    gone = {*cause.sources, *hidden_behind(found)}
                    left = [name for name in left if name not in gone]
        return tuple(found)

    def _cause(self, names: Sequence[str], choice: int, first: Trial) -> Cause | None:
        """The least of these that parts the runs when it is varied; None where nothing does."""
        sources = [] if self.parted_by_chance else self._parting(names, choice)
        if not sources:
            return None
        variation = _variation(sources, choice)
        again = [self._trials.varied(variation) for _ in range(_TIMES_AGAIN)]
        part_again = any(again) and self._trials.is_unvaried_like(first)
        if not part_again or self._trials.varied(variation, self._values(sources)):
            self.parted_by_chance = True
            return None
        return Cause(
            tuple(sources),
            "proved" if all(again) else "suspected",
            Count(1 + sum(again), 1 + len(again)),
            Count(0, 2),
            notes.lines([self._trials.last_varied()], sources),
            varied=True,
        )

    def _parting(self, names: Sequence[str], choice: int) -> list[str]:
        def parts(some: Sequence[str]) -> bool:
            return self._trials.varied(_variation(some, choice))

        return minimal(names, parts) if names and parts(names) else []


def _variation(names: Sequence[str], choice: int) -> dict[str, Value]:
    """Of each source the value number `choice` that it proposes."""
    return {name: CATALOGUE[name].variations()[choice] for name in names}


def hidden_behind(causes: Sequence[Cause]) -> tuple[str, ...]:
    """The sources that cannot be told apart from a cause that was found: where a script was seen to
    read all of its environment, whatever changes a variable parts it."""
    uses = (use.source for cause in causes if cause.varied for use in cause.lines)
    if "environment" not in uses:
        return ()
    return tuple(source.id for source in CATALOGUE.values() if source.by_variables)
