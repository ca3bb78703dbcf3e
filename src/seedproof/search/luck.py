"""How likely it is that runs agree although nothing keeps them together."""

from __future__ import annotations

import math
from collections.abc import Sequence

LUCK = 0.05
_MOST_RUNS = 60
_LEAST_SHARE = 0.25


def share(groups: Sequence[int]) -> float:
    """The share that the largest group has of all runs, from the sizes of groups of equal ones;
    a handful of runs cannot show that it is less than a quarter."""
    return max(max(groups) / sum(groups), _LEAST_SHARE)


def luck(most_frequent: float, runs: int) -> float:
    """The chance that so many `runs` are all alike, at most, where nothing keeps them together.

    Whatever the first of them comes to, each other one comes to the same no more often than to what
    is the most frequent. Its share, as it was seen, stands for that.
    """
    return float(most_frequent ** (runs - 1))


def runs_to_be_sure(most_frequent: float) -> int:
    """How many runs must be alike, so that this comes by luck in less than 5%; no more than can be
    asked for."""
    if most_frequent == 1:
        return _MOST_RUNS
    return min(2 + math.floor(math.log(LUCK) / math.log(most_frequent)), _MOST_RUNS)
