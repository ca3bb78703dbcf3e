"""The arrays that calls take and return, each looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import jax

from seedproof.frameworks.jax_identity import ByIdentity
from seedproof.frameworks.jax_look import look
from seedproof.frameworks.jax_plan import Back, Side
from seedproof.frameworks.jax_values import ON_DEVICE, OTHER, TRACER, kind_of

if TYPE_CHECKING:
    from seedproof.frameworks.jax_functions import Function


class Met(NamedTuple):
    """An array of JAX that was met. It never changes, so that it need not be digested again: the
    weights that one call returns and the next one takes, or the whole data of a small training.

    `word` is its digest, None where it was not needed; `maker`, the function that has returned it
    (None where it came from elsewhere), at `place` among its results.
    """

    word: Any = None
    maker: Function | None = None
    place: int = 0


class Taken(NamedTuple):
    """What a call takes: its leaves with their digests (None where they are not looked at), the
    places of those that were not met before, what has come back, and the leaves again, as copies
    where the call may use them up."""

    side: Side
    words: Sequence[Any] | None
    new: Sequence[int]
    back: Back
    copies: Sequence[Any]


class Seen:
    """What is known of all arrays that live."""

    def __init__(self) -> None:
        self._met: ByIdentity[Met] = ByIdentity()

    def take(self, function: Function, whole: Any, looks: bool) -> Taken | None:
        """What a call takes, `whole` being its positional and its named arguments; None where it
        takes what is not known yet, or is no more. Where it `looks`, it finds the digests."""
        leaves, treedef = jax.tree_util.tree_flatten(whole)
        words: list[Any] = [None] * len(leaves)
        new: list[int] = []
        back = Back([], set())
        for at, leaf in enumerate(leaves):
            kind = kind_of(leaf)
            if kind == TRACER or (kind in ON_DEVICE and leaf.is_deleted()):
                return None
            met = self._met.get(leaf) if kind in ON_DEVICE else None
            if met is not None:
                words[at] = met.word
                _note_origin(back, at, met, function)
            elif kind != OTHER:
                new.append(at)
        if looks:
            self._look_at_new(leaves, words)
        found = words if looks else None
        return Taken(Side(whole, treedef, leaves), found, new, back, leaves)

    def _look_at_new(self, leaves: Sequence[Any], words: list[Any]) -> None:
        unknown = [at for at, word in enumerate(words) if word is None]
        places = [at for at in unknown if kind_of(leaves[at]) != OTHER]
        for at, word in zip(places, look([leaves[at] for at in places])):
            words[at] = word
            if kind_of(leaves[at]) in ON_DEVICE:
                met = self._met.get(leaves[at]) or Met()
                self._met.put(leaves[at], met._replace(word=word))

    def give(self, function: Function, leaves: Sequence[Any], looks: bool) -> Sequence[Any]:
        """What a call returns; the digests, where it `looks`."""
        words = look(leaves) if looks else [None] * len(leaves)
        for at, (leaf, word) in enumerate(zip(leaves, words)):
            if kind_of(leaf) in ON_DEVICE:
                self._met.put(leaf, Met(word, function, at))
        return words


def _note_origin(back: Back, at: int, met: Met, function: Function) -> None:
    if met.maker is function:
        back.fed.append((at, met.place))
    elif met.maker is not None:
        back.made.add(at)
