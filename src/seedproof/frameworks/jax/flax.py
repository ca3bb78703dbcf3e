"""The names of the variables of Flax's modules, which JAX knows by their numbers alone."""

from __future__ import annotations

import sys
from typing import Any, List, Tuple

import jax

Paths = List[Tuple[Any, ...]]


def paths_within(node: Any) -> Paths | None:
    """The path of each leaf of a module that `nnx.jit` has taken apart; None for anything else."""
    nnx: Any = sys.modules.get("flax.nnx")
    states = getattr(node, "states", None)
    if nnx is None or not isinstance(states, tuple) or len(states) != 1:
        return None
    count = len(jax.tree_util.tree_leaves(node))
    try:
        module = nnx.merge(node.graphdef, list(range(count)))
        numbers = nnx.to_flat_state(nnx.state(module))
        paths = {_number(variable): tuple(path) for path, variable in numbers}
        return [paths[number] for number in range(count)]
    except Exception:  # another version of Flax: then they keep their numbers
        return None


def _number(variable: Any) -> int:
    value = variable.get_value() if hasattr(variable, "get_value") else variable.value
    return int(value)
