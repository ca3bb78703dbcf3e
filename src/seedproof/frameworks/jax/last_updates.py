"""The last update of weights that no step returns.

Where a step returns gradients, what is made of them shows in the next step, which takes the new
weights; after the last one nothing takes them. They are known all the same where a compiled
function makes them, or `optax.apply_updates`, or where a call that is no step takes them. Else,
unless the script records something of its own, the last update was not looked at, and that is said.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from seedproof.frameworks.jax.values import ON_DEVICE, is_gone, type_of

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.frameworks.jax.plan import Part, Side
    from seedproof.frameworks.jax.seen import Seen, Taken

MOST_STEPS = 64  # functions that take gradients
MOST_APPLIED = 8  # kinds of weights


class Made(NamedTuple):
    """Arrays that were returned, and when, in the order of all calls."""

    leaves: Sequence[Any]
    at: int


class Open(NamedTuple):
    """The last step of a function that returns gradients: when it was made, the weights that it
    took, with their types, who made each (None: nobody knows), and the script's own records until
    then."""

    part: Part
    step: int
    at: int
    types: Sequence[Any]
    makers: Sequence[tuple[Function, int] | None]
    records: int


class LastUpdates:
    """Follows who makes weights of gradients."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._calls = 0
        self._open: dict[Function, Open] = {}
        self._made: dict[Function, Made] = {}
        self._applied: dict[Any, Made] = {}

    def returned(self, function: Function, taken: Taken, given: Side) -> None:
        """A call has returned. The weights may be among what it takes, or what it returns."""
        self._calls += 1
        if function in self._made:
            self._made[function] = Made(given.leaves, self._calls)
        if self._open and not function.is_helper:
            self._look_for_weights(function, taken)

    def _look_for_weights(self, function: Function, taken: Taken) -> None:
        arrays = [at for at in taken.new if taken.kinds[at] in ON_DEVICE]
        types = Counter(type_of(taken.side.leaves[at]) for at in arrays)
        for other, last in list(self._open.items()):
            if other is not function and types >= Counter(last.types):
                del self._open[other]

    def applied(self, leaves: Sequence[Any]) -> None:
        """Optax has made weights."""
        self._calls += 1
        types = tuple(map(type_of, leaves))
        self._applied.pop(types, None)
        self._applied[types] = Made(leaves, self._calls)
        if len(self._applied) > MOST_APPLIED:
            del self._applied[next(iter(self._applied))]

    def stepped(
        self, function: Function, part: Part, taken: Sequence[Any], step: int, records: int
    ) -> None:
        """A step has returned gradients of weights that it took; the script has made so many
        records of its own."""
        weights = part.of(taken)
        makers = [self._seen.maker_of(leaf) for leaf in weights]
        for maker in makers:
            if maker is not None:
                self._made.setdefault(maker[0], Made((), 0))
        self._open.pop(function, None)
        types = tuple(map(type_of, weights))
        self._open[function] = Open(part, step, self._calls, types, makers, records)
        if len(self._open) > MOST_STEPS:
            del self._open[next(iter(self._open))]

    def unfinished(self) -> list[tuple[Function, Open, Sequence[Any] | None]]:
        """The functions that have returned gradients which no recorded call followed, each with the
        weights that were made of its last ones: none where they are written anyway, None where
        nobody knows them."""
        return [
            (function, last, self._after(last))
            for function, last in self._open.items()
            if function not in self._made  # it returns weights, which others take
        ]

    def _after(self, last: Open) -> Sequence[Any] | None:
        applied = self._applied.get(last.types)
        if applied is not None and applied.at > last.at:
            return _there(applied.leaves)
        makers = [maker for maker in last.makers if maker is not None]
        made = [self._made[function] for function, _ in makers]
        if len(makers) < len(last.makers) or any(one.at < last.at for one in made):
            return None
        if all(function.trains for function, _ in makers):
            return ()  # what they returned last is written as their own
        return _there([one.leaves[place] for one, (_, place) in zip(made, makers)])


def _there(leaves: Sequence[Any]) -> Sequence[Any]:
    """Arrays, as far as no other call has used them up: then that one has shown them."""
    return () if any(map(is_gone, leaves)) else leaves
