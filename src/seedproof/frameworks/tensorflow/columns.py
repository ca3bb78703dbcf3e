"""What a training step of TensorFlow has to record, as columns with the tensors that fill them."""

from __future__ import annotations

from typing import Any, Iterable, List, Sequence, Tuple

import tensorflow as tf

from seedproof.frameworks.tensorflow.graph import digests
from seedproof.trace.format import FARM_DIGEST, Column

Named = List[Tuple[Column, Any]]
Digested = Tuple[List[Column], Any]


def digested(named: Named) -> Digested:
    """The columns, and the int64 vector of their digests."""
    return [column for column, _ in named], digests([tensor for _, tensor in named])


def of_data(name: str, data: Any, phase: str = "data") -> Named:
    """Every tensor in `data`, in the order of its structure."""
    return [_named(phase, f"{name}/{at}", tensor) for at, tensor in enumerate(tensors_in(data))]


def of_losses(target: Any) -> Named:
    """What was differentiated: a loss, or several."""
    losses = tensors_in(target)
    names = ["loss"] if len(losses) == 1 else [f"loss/{at}" for at in range(len(losses))]
    return [_named("loss", name, loss) for name, loss in zip(names, losses)]


def of_gradients(gradients: Sequence[Any], variables: Sequence[Any]) -> Named:
    """The gradients as the optimizer receives them; one without a gradient has no column."""
    named = []
    for gradient, variable in zip(gradients, variables):
        for at, part in enumerate(tensors_in(gradient)):
            path = path_of(variable)
            named.append(_named("backward", path if at == 0 else f"{path}/{at}", part))
    return named


def of_variables(variables: Iterable[Any], phase: str = "update") -> Named:
    """The values of variables, each once."""
    once = {id(variable): variable for variable in variables}.values()
    return [_named(phase, path_of(v), tf.convert_to_tensor(v)) for v in once]


def of_metrics(variables: Iterable[Any]) -> Named:
    """The running sums from which a model's loss and metrics are taken."""
    named = of_variables(variables, "loss")
    return [(c._replace(name=f"metrics/{at}/{c.name}"), t) for at, (c, t) in enumerate(named)]


def path_of(variable: Any) -> str:
    """The name of a variable of Keras or of TensorFlow."""
    return str(getattr(variable, "path", None) or variable.name)


def tensors_in(structure: Any) -> list[Any]:
    """The leaves of a nested structure that have bits; a sparse tensor has three."""
    leaves = tf.nest.flatten(structure, expand_composites=True)
    return [leaf for leaf in leaves if leaf is not None and not _is_handle(leaf)]


def _is_handle(leaf: Any) -> bool:
    return getattr(leaf, "dtype", None) in (tf.resource, tf.variant)


def _named(phase: str, name: str, value: Any) -> tuple[Column, Any]:
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype == tf.string:
        tensor = tf.strings.to_hash_bucket_fast(tensor, tf.int64.max)
    if tensor.shape.rank is None:
        return Column(phase, name, FARM_DIGEST, tensor.dtype.name), tf.reshape(tensor, [-1])
    return Column(phase, name, FARM_DIGEST, tensor.dtype.name, tuple(tensor.shape)), tensor
