"""Every layer of Keras in one training step, on TensorFlow: for a close look.

What goes into a layer (its inputs and its own weights), what comes out and the gradient that comes
back are digested by integer operations of the same graph, as all that is recorded there is; from
the first step on, since a graph is traced once, but told of the step in question alone.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import numpy as np
import tensorflow as tf

from seedproof.frameworks.tensorflow.columns import tensors_in
from seedproof.frameworks.tensorflow.graph import QUEUE_ROWS, digests
from seedproof.frameworks.tensorflow.inputs import graph_here
from seedproof.frameworks.tracebacks import instead_of
from seedproof.inside.operations import Operations
from seedproof.inside.pins.callers import own_line, place_behind

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.inputs import Inputs
    from seedproof.frameworks.tensorflow.rows import Rows
    from seedproof.inside.pins.callers import Place
    from seedproof.inside.recorder import Recorder


class NoTensorError(Exception):
    """There is nothing in it that has bits."""


class Met(NamedTuple):
    """An operation that was met, with the digests of its tensors in the graph that has them."""

    name: str
    place: Place | None
    inputs: Any
    outputs: Any
    graph: Any


class Closely(threading.local):
    """What was met in this thread since the last update."""

    def __init__(self, recorder: Recorder, inputs: Inputs, step: int) -> None:
        self._recorder = recorder
        self._inputs = inputs
        self._step = step
        self._operations = Operations(recorder)
        self._met: list[Met] = []

    def watch(self, owner: Any) -> None:
        """Wraps the call of a class of layers."""
        call = owner.__call__

        @instead_of(call)
        def wrapper(layer: Any, *arguments: Any, **named: Any) -> Any:
            if not self._inputs.has_tape():
                return call(layer, *arguments, **named)
            before = self._guarded(_digest, [arguments, named, _own_weights(layer)])
            outputs = call(layer, *arguments, **named)
            return outputs if before is None else self._called(layer, before, outputs)

        owner.__call__ = wrapper

    def _called(self, layer: Any, before: Any, outputs: Any) -> Any:
        place = _place_of(layer)
        name = f"{layer.name} ({type(layer).__name__})"
        after = self._guarded(_digest, outputs)
        if after is None:
            return outputs
        self._met.append(Met(name, place, before, after, graph_here()))
        met = functools.partial(self._differentiated, f"the gradient of {name}", place)
        return tf.nest.map_structure(functools.partial(_passing, met), outputs)

    def _differentiated(self, name: str, place: Place | None, gradient: Any) -> None:
        """Of a chain of gradients, each is made of the one before."""
        after = self._guarded(_digest, gradient)
        if after is not None:
            before = self._met[-1].outputs if self._met else after
            self._met.append(Met(name, place, before, after, graph_here()))

    def _guarded(self, part: Any, *arguments: Any) -> Any:
        try:
            return part(*arguments)
        except NoTensorError:
            return None
        except Exception as error:
            self._recorder.event("note", text=f"not every layer was looked at: {error!r}")
            return None

    def row(self, rows: Rows, step: Any) -> None:
        """An update comes: what led to it is written."""
        met, self._met = self._met, []
        here = [one for one in met if one.graph is graph_here()]
        if here:
            table = Table(self._operations, self._step, here)
            rows.add(table)
            table.append(step, [word for one in here for word in (one.inputs, one.outputs)])


class Table:
    """What one graph met, in its order: a row for each of its updates."""

    def __init__(self, operations: Operations, step: int, met: Sequence[Met]) -> None:
        self._operations = operations
        self._step = step
        self._met = [(one.name, one.place) for one in met]
        with tf.init_scope(), tf.device("CPU:0"):
            self._queue = tf.queue.FIFOQueue(QUEUE_ROWS, [tf.int64], [[1 + 2 * len(met)]])

    def append(self, step: Any, words: Sequence[Any]) -> None:
        """Puts one row in the queue."""
        with tf.device("CPU:0"):
            self._queue.enqueue(tf.stack([step, *words]))

    def drain(self) -> None:
        """Tells of the step in question, if it is among the rows in the queue."""
        waiting = int(self._queue.size())
        rows = self._queue.dequeue_many(waiting).numpy() if waiting else ()
        for step, *words in rows:
            if step == self._step:
                pairs = np.asarray(words).astype(np.uint64).reshape(-1, 2).tolist()
                for (name, place), (before, after) in zip(self._met, pairs):
                    self._operations.tell(name, place, [before], [after])


def _place_of(layer: Any) -> Place | None:
    """The user's own code of a layer, else the line that led to its call."""
    code = getattr(type(layer).call, "__code__", None)
    own = None if code is None else own_line([(code.co_filename, code.co_firstlineno)])
    return own or place_behind("")


def _digest(structure: Any) -> Any:
    """One digest of all tensors in a structure, as an int64 scalar."""
    tensors = [leaf for leaf in tensors_in(structure) if tf.is_tensor(leaf)]
    known = [tensor for tensor in tensors if tensor.shape.rank is not None]
    if not known:
        raise NoTensorError
    return digests([digests(known)])[0]


def _own_weights(layer: Any) -> list[Any]:
    """Those of a layer that has no layers of its own, which are met by themselves."""
    is_leaf = next(iter(layer._flatten_layers(include_self=False)), None) is None
    return [tf.convert_to_tensor(v) for v in layer.variables] if is_leaf else []


def _passing(met: Any, output: Any) -> Any:
    """The same tensor; `met` is called with the gradient that comes back to it."""
    if not tf.is_tensor(output) or not output.dtype.is_floating:
        return output

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # it has no types
    def same(value: Any) -> Any:
        def gradient(arriving: Any) -> Any:
            met(arriving)
            return arriving

        return tf.identity(value), gradient

    passed = same(output)
    mask = getattr(output, "_keras_mask", None)
    if mask is not None:
        passed._keras_mask = mask
    return passed
