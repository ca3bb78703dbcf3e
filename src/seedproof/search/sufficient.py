"""Which pins keep runs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedproof.search.minimal import minimal
from seedproof.search.suspects import Suspects

_TRIED_ALONE = 3
Test = Callable[[Sequence[str]], bool]


def sufficient(suspected: Suspects, agree: Test) -> list[str]:
    """The sources that keep runs together when they are pinned; empty where all of them do not.

    First what something speaks for, one by one; then one of the likely ones, by halving, since
    mostly it is one; and then the least of all of them. `agree` tells whether runs do with these
    pinned.
    """
    for name in suspected.seen[:_TRIED_ALONE]:
        if agree([name]):
            return [name]
    if suspected.likely:
        name = _one_of(suspected.likely, agree)
        if agree([name]):
            return [name]
    everything = suspected.all
    if not everything or not agree(everything):
        return []
    needed = minimal(everything, agree)
    return needed if agree(needed) else []


def _one_of(names: Sequence[str], agree: Test) -> str:
    """The one of `names` that suffices, if one does; of several, one that stands before others."""
    while len(names) > 1:
        half = (len(names) + 1) // 2
        names = names[:half] if agree(names[:half]) else names[half:]
    return names[0]
