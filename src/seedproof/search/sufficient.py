"""Which pins keep runs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedproof.search.minimal import minimal
from seedproof.search.suspects import Suspects

_TRIED_ALONE = 3
Test = Callable[[Sequence[str]], bool]


def sufficient(suspected: Suspects, agree: Test) -> list[str]:
    """The sources that keep runs together when they are pinned; empty where all of them do not.

    First what something speaks for, one by one; then one of the likely ones, by bisection, since
    mostly it is one; and then the least of all of them. `agree` tells whether runs do with these
    pinned.
    """
    for name in suspected.seen[:_TRIED_ALONE]:
        if agree([name]):
            return [name]
    if suspected.likely:
        name = _last_needed(suspected.likely, agree)
        if agree([name]):
            return [name]
    everything = suspected.all
    if not everything or not agree(everything):
        return []
    needed = minimal(everything, agree)
    return needed if agree(needed) else []


def _last_needed(names: Sequence[str], agree: Test) -> str:
    """The last one of the shortest beginning of `names` that suffices, if all of them do."""
    too_few, enough = 0, len(names)
    while enough - too_few > 1:
        middle = (too_few + enough + 1) // 2
        if agree(names[:middle]):
            enough = middle
        else:
            too_few = middle
    return names[enough - 1]
