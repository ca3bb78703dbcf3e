"""What is recorded now and then: values of weights, random generators, and the last weights."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import numpy as np

from seedproof.frameworks.jax import values as jax_values
from seedproof.frameworks.jax.look import look
from seedproof.inside.kept_values import BUDGET_BYTES
from seedproof.trace.format import FINAL

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.frameworks.jax.plan import Part
    from seedproof.frameworks.jax.rows import Rows
    from seedproof.inside.recorder import Recorder

MOST_REMEMBERED = 8  # functions: what they returned last is held, which would fill the memory


class Last(NamedTuple):
    """What the last call of a function has left."""

    part: Part
    leaves: Sequence[Any]
    step: int


class Points:
    """Keeps values while there is room for them, and the last state of each function."""

    def __init__(self, recorder: Recorder, rows: Rows) -> None:
        self._recorder = recorder
        self._rows = rows
        self._last: dict[Function, Last] = {}
        self._let_go: set[Function] = set()

    def values(self, part: Part, leaves: Sequence[Any], step: int) -> None:
        """Keeps the values of floating point arrays, if there is room for all of them."""
        arrays = [(c, leaves[at]) for c, at in zip(part.columns, part.places)]
        kept = [(c, leaf) for c, leaf in arrays if is_kept(leaf)]
        if sum(leaf.nbytes for _, leaf in kept) > BUDGET_BYTES:
            return
        for column, leaf in kept:
            value = jax_values.to_host(leaf)
            self._recorder.keep(column.name, column.phase, step, value, column.dtype)

    def copies(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """The leaves, with copies of those whose values can be kept: what a call has used up
        cannot be read any more after it."""
        if sum(leaf.nbytes for leaf in leaves if is_kept(leaf)) > BUDGET_BYTES:
            return leaves
        return [np.array(jax_values.to_host(x)) if is_kept(x) else x for x in leaves]

    def generators(self, step: int) -> None:
        """The states of the generators that everybody shares; JAX's own keys are arguments."""
        self._recorder.hint("random", repr(random.getstate()), step)
        self._recorder.hint("numpy.random", np.random.get_state(), step)

    def remember(self, function: Function, part: Part, leaves: Sequence[Any], step: int) -> None:
        """Nothing says which call is the last, so what each one returns is held until the next."""
        if function in self._let_go:
            return
        self._last.pop(function, None)
        self._last[function] = Last(part, leaves, step)
        if len(self._last) > MOST_REMEMBERED:
            oldest = next(iter(self._last))
            self._let_go.add(oldest)
            self._write(oldest, self._last.pop(oldest))

    def forget(self, function: Function) -> None:
        """What it returned is no state."""
        self._last.pop(function, None)

    def write_last(self) -> None:
        """The recording ends."""
        for function, last in self._last.items():
            self._write(function, last)
        self._last = {}

    def _write(self, function: Function, last: Last) -> None:
        """Unless another function has used it up since."""
        found = [last.leaves[at] for at in last.part.places]
        if any(jax_values.is_gone(leaf) for leaf in found):
            return
        self._rows.put(FINAL + function.name, last.part.columns, last.step, look(found))
        self.values(last.part, last.leaves, last.step)


def is_kept(leaf: Any) -> bool:
    """Whether the values of a leaf can be kept: those of an array of floating point numbers."""
    if jax_values.kind_of(leaf) not in (jax_values.ARRAY, jax_values.HOST):
        return False
    is_there = jax_values.is_whole_here(leaf) and not jax_values.is_gone(leaf)
    return is_there and jax_values.is_floating(leaf)
