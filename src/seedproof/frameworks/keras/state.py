"""The state of a training between its steps, on every backend of Keras: read and perturbed.

Nothing here imports a framework: the variables bring theirs along.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any, Iterable, Mapping

import numpy as np

from seedproof.trace.format import BEFORE_TRAINING

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


def values_of(variables: Iterable[Any], former: Mapping[int, Any] | None = None) -> dict[str, Any]:
    """The values of variables by their paths, as NumPy arrays; equal paths are numbered. `former`
    are values to take instead of those of now, by the variables' `id`."""
    known = former or {}
    values: dict[str, Any] = {}
    for variable in {id(variable): variable for variable in variables}.values():
        path = str(getattr(variable, "path", None) or variable.name)
        name, number = path, 0
        while name in values:
            number += 1
            name = f"{path}#{number}"
        values[name] = known[id(variable)] if id(variable) in known else variable.numpy()
    return values


def are_there(variables: Iterable[Any]) -> bool:
    """Whether no variable lies in an array that a step in progress has taken over, as JAX's do."""
    values: list[Any] = [getattr(variable, "value", None) for variable in variables]
    return not any(hasattr(value, "is_deleted") and value.is_deleted() for value in values)


def are_set(variables: Iterable[Any]) -> bool:
    """Whether all variables have values: those that TensorFlow makes in a graph have none yet."""
    return all(np.shape(variable.numpy()) == tuple(variable.shape) for variable in variables)


def step_to_come(recorder: Recorder) -> int:
    """The step to which initial values belong."""
    step = recorder.step()
    return BEFORE_TRAINING if step < 0 else step + 1


def record_optimizer(recorder: Recorder, group: str, optimizer: Any, step: int, phase: str) -> None:
    """The state of an optimizer: its iterations, moments and scales."""
    variables = getattr(optimizer, "variables", None)
    if variables:
        recorder.record_named(f"{group}/state", values_of(variables), step, phase)


def hint_generators(recorder: Recorder, step: int) -> None:
    """The global generators from which layers and shuffles may draw."""
    recorder.hint("random", repr(random.getstate()), step)
    recorder.hint("numpy.random", np.random.get_state(), step)
    stateful = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    generator = getattr(stateful, "global_generator", None)
    if generator is not None:
        recorder.hint("tf.random", generator.state.numpy(), step)


def perturb(recorder: Recorder, variables: Iterable[Any]) -> None:
    """Flips the lowest bit of one weight where this run is the one that is to be perturbed."""
    floating = [v for v in variables if "float" in str(v.dtype) and all(v.shape)]
    if floating and recorder.perturbs():
        value = np.array(floating[0].numpy())
        bits = value.reshape(-1).view(f"u{value.dtype.itemsize}")
        bits[np.argmax(np.abs(value.reshape(-1)))] ^= 1
        floating[0].assign(value)
