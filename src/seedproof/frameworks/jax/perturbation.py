"""One bit flipped, where a run is to show that the recording sees a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import jax
import numpy as np

from seedproof.frameworks.jax import values as jax_values
from seedproof.frameworks.jax.values import ARRAY, HOST, kind_of

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


def perturbed(recorder: Recorder, taken: Any, trains: Callable[[], bool]) -> Any:
    """`taken`, the arguments of a call, with the lowest bit of one number flipped: the largest of
    the first array of floating point numbers. Only in the run that is to be perturbed, and only
    before the first call that `trains`."""
    leaves, treedef = jax.tree_util.tree_flatten(taken)
    at = next((at for at, leaf in enumerate(leaves) if _can_be_flipped(leaf)), None)
    if at is None or not trains() or not recorder.perturbs():
        return taken
    leaves[at] = _flipped(leaves[at])
    return jax.tree_util.tree_unflatten(treedef, leaves)


def _can_be_flipped(leaf: Any) -> bool:
    is_array = kind_of(leaf) in (ARRAY, HOST) and leaf.ndim > 0 and leaf.size > 0
    return is_array and jax_values.is_floating(leaf) and jax_values.is_whole_here(leaf)


def _flipped(leaf: Any) -> Any:
    value = np.array(jax_values.to_host(leaf))
    numbers = value.reshape(-1)
    largest = int(np.argmax(np.abs(numbers).astype(np.float64)))
    raw = numbers.view(np.uint8).reshape(len(numbers), -1)
    raw[largest, 0] ^= 1
    return value if kind_of(leaf) == HOST else jax.device_put(value, leaf.sharding)
