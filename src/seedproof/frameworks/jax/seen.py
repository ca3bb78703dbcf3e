"""The arrays that calls take and return, each digested once.

An array of JAX never changes, so that it need not be digested again when it is met again: the
weights that one call returns and the next one takes, or the whole data of a small training.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Collection, NamedTuple, Sequence

import jax

from seedproof.frameworks.jax.identity import ByIdentity
from seedproof.frameworks.jax.look import look
from seedproof.frameworks.jax.plan import Back, Side
from seedproof.frameworks.jax.values import ON_DEVICE, OTHER, TRACER, kinds_of

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function

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
    """What a function returned last: its arrays, each with its place, by identity, and the digests
    (None where there are none)."""

    arrays: dict[int, tuple[weakref.ref[Any], int]]
    words: Sequence[Any]

    def place_of(self, leaf: Any) -> int | None:
        """Where a leaf was in it, if it was."""
        array, place = self.arrays.get(id(leaf), (None, 0))
        return place if array is not None and array() is leaf else None


_NOTHING = Last({}, ())


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
        own = self._last.get(function, _NOTHING)
        for at, (leaf, kind) in enumerate(zip(leaves, kinds)):
            if kind not in ON_DEVICE:
                if kind != OTHER:
                    new.append(at)
                continue
            if leaf.is_deleted():
                return None
            place = own.place_of(leaf)  # its own comes first: others may hand it on
            if place is not None:
                words[at] = own.words[place]
                back.fed.append((at, place))
            elif not self._is_known(at, leaf, words, back):
                new.append(at)
        return Taken(Side(whole, treedef, leaves), kinds, words, new, back, leaves)

    def _is_known(self, at: int, leaf: Any, words: list[Any], back: Back) -> bool:
        for last in self._last.values():
            place = last.place_of(leaf)
            if place is not None:
                words[at] = last.words[place]
                back.made.add(at)
                return True
        words[at] = self._from_elsewhere.get(leaf)
        return words[at] is not None

    def maker_of(self, leaf: Any) -> tuple[Function, int] | None:
        """The function that returned this array last, and its place in what that returned."""
        for function, last in self._last.items():
            place = last.place_of(leaf)
            if place is not None:
                return function, place
        return None

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
        arrays = {
            id(leaf): (weakref.ref(leaf), at)
            for at, (leaf, kind) in enumerate(zip(leaves, kinds_of(leaves)))
            if kind in ON_DEVICE
        }
        self._last.pop(function, None)
        self._last[function] = Last(arrays, words)
        if len(self._last) > MOST_FUNCTIONS:
            del self._last[next(iter(self._last))]
