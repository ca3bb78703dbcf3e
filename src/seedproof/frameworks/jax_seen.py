"""The arrays that calls take and return, each digested once.

An array of JAX never changes, so that it need not be digested again when it is met again: the
weights that one call returns and the next one takes, or the whole data of a small training.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Collection, NamedTuple, Sequence

import jax

from seedproof.frameworks.jax_identity import ByIdentity
from seedproof.frameworks.jax_look import look
from seedproof.frameworks.jax_plan import Back, Side
from seedproof.frameworks.jax_values import ON_DEVICE, OTHER, TRACER, kinds_of

if TYPE_CHECKING:
    from seedproof.frameworks.jax_functions import Function

MOST_FUNCTIONS = 16  # of which it is known what they returned last


class Taken(NamedTuple):
    """What a call takes: its leaves, their kinds and their digests (None for those that were not
    looked at yet), the places of those that were not met before, what has come back, and the
    leaves again, as copies where the call may use them up."""

    side: Side
    kinds: Sequence[str]
    words: list[Any]
    new: Sequence[int]
    back: Back
    copies: Sequence[Any]


class Last(NamedTuple):
    """What a function returned last: its leaves, with their digests (None where there are none),
    and their places by identity."""

    refs: Sequence[Any]
    words: Sequence[Any]
    places: dict[int, int]


class Seen:
    """What is known of arrays that live."""

    def __init__(self) -> None:
        self._last: dict[Function, Last] = {}
        self._from_elsewhere: ByIdentity[Any] = ByIdentity()

    def take(self, function: Function, whole: Any) -> Taken | None:
        """What a call takes, `whole` being its positional and its named arguments; None where it
        takes what is not known yet, or is no more."""
        leaves, treedef = jax.tree_util.tree_flatten(whole)
        kinds = kinds_of(leaves)
        words: list[Any] = [None] * len(leaves)
        new: list[int] = []
        back = Back([], set())
        if TRACER in kinds:
            return None
        for at, (leaf, kind) in enumerate(zip(leaves, kinds)):
            if kind not in ON_DEVICE:
                if kind != OTHER:
                    new.append(at)
            elif leaf.is_deleted():
                return None
            elif not self._is_known(function, at, leaf, words, back):
                new.append(at)
        return Taken(Side(whole, treedef, leaves), kinds, words, new, back, leaves)

    def _is_known(
        self, function: Function, at: int, leaf: Any, words: list[Any], back: Back
    ) -> bool:
        for maker in (function, *self._last):
            last = self._last.get(maker)
            place = None if last is None else last.places.get(id(leaf))
            if last is not None and place is not None and last.refs[place]() is leaf:
                words[at] = last.words[place]
                if maker is function:
                    back.fed.append((at, place))
                else:
                    back.made.add(at)
                return True
        words[at] = self._from_elsewhere.get(leaf)
        return words[at] is not None

    def look_at(self, taken: Taken, kinds: Collection[str]) -> None:
        """Finds the digests that are still missing, of leaves of these kinds."""
        leaves, words = taken.side.leaves, taken.words
        places = [at for at, kind in enumerate(taken.kinds) if words[at] is None and kind in kinds]
        for at, word in zip(places, look([leaves[at] for at in places])):
            words[at] = word
            if taken.kinds[at] in ON_DEVICE:
                self._from_elsewhere.put(leaves[at], word)

    def give(self, function: Function, leaves: Sequence[Any], words: Sequence[Any]) -> None:
        """What a call has returned, with the digests, or None for each."""
        self._last.pop(function, None)
        self._last[function] = Last(
            [weakref.ref(leaf) for leaf in leaves],
            words,
            {id(leaf): at for at, leaf in enumerate(leaves)},
        )
        if len(self._last) > MOST_FUNCTIONS:
            del self._last[next(iter(self._last))]
