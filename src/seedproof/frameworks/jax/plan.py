"""Which leaf of a call is what: its name, its phase, and its column in the trace.

What a function takes and returns again is *state*: parameters, the state of an optimizer, a key.
Its leaves bear the names of the arguments on both sides. All else that is taken is data, and all
else that is returned is a loss, where it is one floating point number, or a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, NamedTuple, Sequence

from seedproof.frameworks.jax import trees as jax_trees
from seedproof.frameworks.jax.values import (
    ON_DEVICE,
    OTHER,
    REF,
    is_floating,
    is_whole_here,
    kind_of,
    type_of,
)
from seedproof.trace.format import Column

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.frameworks.jax.trees import Pairs

MOST_PLANS = 64


class Side(NamedTuple):
    """What a function has taken, or returned: the whole, its structure, and its leaves."""

    whole: Any
    treedef: Any
    leaves: Sequence[Any]


class Back(NamedTuple):
    """Of what a function takes: the places of what it returned itself, each with the place among
    its results, and those of what other functions returned."""

    fed: Pairs
    made: set[int]


class Part(NamedTuple):
    """Leaves that are looked at together, by their places, with their columns."""

    places: Sequence[int]
    columns: Sequence[Column]

    def of(self, items: Any) -> list[Any]:
        """Of what there is one for each leaf, those of this part."""
        return [items[at] for at in self.places]


class Plan:
    """The parts of the calls that have one structure. `pairs` are the places of what is taken and
    returned again; `is_settled`, whether that has been seen to come back; `is_partial`, whether
    there are arrays of which only a part is in the reach of this process."""

    def __init__(self, function: Function, taken: Side, given: Side, pairs: Pairs) -> None:
        self.pairs = pairs
        self.is_settled = False
        self.is_partial = not all(map(_is_whole, (*taken.leaves, *given.leaves)))
        self.returns = function.returns
        self.state_places = frozenset(at for at, _ in pairs)
        names = jax_trees.names_of_arguments(function, taken.whole)
        returned = jax_trees.names_of_results(function, given.whole)
        for at, place in reversed(pairs):
            returned[place] = names[at]
        self._plan_taken(taken, names)
        self._plan_given(given, returned)
        self._plan_weights(taken, names, given, returned)
        self.columns = (*self.data.columns, *self.results.columns, *self.written_to.columns)

    @property
    def takes_weights(self) -> bool:
        """Whether it takes the weights and returns their gradients, so that what it took is the
        latest that is known of them."""
        return self.returns == "backward"

    @property
    def _result(self) -> str:
        return "update" if self.returns == "update" else "forward"

    def _plan_taken(self, taken: Side, names: Sequence[str]) -> None:
        kinds = list(map(kind_of, taken.leaves))
        state = sorted(self.state_places)
        data = [
            at for at, kind in enumerate(kinds) if kind != OTHER and at not in self.state_places
        ]
        refs = [at for at, kind in enumerate(kinds) if kind == REF]
        self.state_at_first = _part("init", taken, names, state)
        self.state_from_elsewhere = _part("data", taken, names, state)
        self.data = _part("data", taken, names, data)
        self.written_to = _part(self._result, taken, names, refs)

    def _plan_given(self, given: Side, names: Sequence[str]) -> None:
        state = {place for _, place in self.pairs}
        phases = [
            self.returns if at in state else "loss" if _is_loss(leaf) else self._result
            for at, leaf in enumerate(given.leaves)
        ]
        self.results = _parted(given, names, enumerate(phases))

    def _plan_weights(
        self, taken: Side, names: Sequence[str], given: Side, returned: Sequence[str]
    ) -> None:
        """What is kept now and then, and at the end."""
        places: Sequence[int] = sorted({place for _, place in self.pairs}) or range(len(returned))
        if self.takes_weights:
            given, returned, places = taken, names, sorted(self.state_places)
        self.kept = _part("data" if self.takes_weights else "update", given, returned, places)
        self.final = _part("output", given, returned, places)


def _part(phase: str, side: Side, names: Sequence[str], places: Sequence[int]) -> Part:
    return _parted(side, names, ((at, phase) for at in places))


def _parted(side: Side, names: Sequence[str], phases: Iterable[tuple[int, str]]) -> Part:
    places, columns = [], []
    for at, phase in phases:
        dtype, shape = type_of(side.leaves[at])
        places.append(at)
        columns.append(Column(phase, names[at], dtype=dtype, shape=shape))
    return Part(places, tuple(columns))


def _is_loss(leaf: Any) -> bool:
    return is_floating(leaf) and not getattr(leaf, "shape", ())


def _is_whole(leaf: Any) -> bool:
    return kind_of(leaf) not in ON_DEVICE or is_whole_here(leaf)


def plan_of(function: Function, taken: Side, given: Side, back: Back) -> Plan:
    """The plan of a call, one for each structure, and settled once something has come back."""
    key = (taken.treedef, given.treedef, function.returns)
    plan: Plan | None = function.plans.get(key)
    is_fed = function.feeds_itself and function.gradient is None and bool(back.fed)
    if plan is not None and (plan.is_settled or not is_fed):
        return plan
    pairs = _alike(function, taken, given) if plan is None else plan.pairs
    if is_fed:
        pairs = _settled(pairs, taken, given, back)
    if plan is None or pairs != plan.pairs:
        plan = Plan(function, taken, given, pairs)
    plan.is_settled = is_fed
    if len(function.plans) >= MOST_PLANS:
        function.plans.clear()
    function.plans[key] = plan
    return plan


def _alike(function: Function, taken: Side, given: Side) -> Pairs:
    """What has the structure of something that is taken: new weights, or gradients."""
    if not function.trains:
        return []
    types = [[type_of(leaf) for leaf in side.leaves] for side in (taken, given)]
    part = None if function.gradient is None else function.gradient.place
    try:
        within = jax_trees.places_of(given.treedef, part)
        return jax_trees.pairs(taken.treedef, types[0], given.treedef, types[1], within)
    except TypeError:  # a structure that cannot be a key
        return []


def _settled(pairs: Pairs, taken: Side, given: Side, back: Back) -> Pairs:
    """What has come back is state, and what other functions have had in between: an evaluation,
    say, that returns the weights it takes. What only has the structure of a result is not."""
    fed = [pair for pair in back.fed if _is_alike(taken, given, *pair)]
    of_fed = {at for at, _ in fed}, {place for _, place in fed}
    others = [(at, place) for at, place in pairs if at in back.made]
    return sorted(
        fed
        + [(at, place) for at, place in others if at not in of_fed[0] and place not in of_fed[1]]
    )


def _is_alike(taken: Side, given: Side, at: int, place: int) -> bool:
    """Whether what came back is replaced by what is returned in the same place now."""
    if place >= len(given.leaves):
        return False
    return type_of(taken.leaves[at]) == type_of(given.leaves[place])
