"""Every layer of Keras in one training step that TensorFlow compiles, and every operation outside
of layers: for a close look.

What goes into a layer (its inputs and its own weights), what comes out and the gradient that comes
back are digested by operations of the same graph, as all that is recorded there is; from
the first step on, since a graph is traced once, but told of the step in question alone.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import numpy as np
import tensorflow as tf

from seedproof.frameworks.tensorflow.columns import tensors_in
from seedproof.frameworks.tensorflow.each_operation import EachOperation
from seedproof.frameworks.tensorflow.graph import GraphRows, digests
from seedproof.frameworks.tensorflow.reach import graph_here, is_out_of_reach
from seedproof.frameworks.tracebacks import instead_of
from seedproof.inside.operations import Operations
from seedproof.inside.pins.callers import own_line, place_behind

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.inputs import Inputs
    from seedproof.frameworks.tensorflow.rows import Rows
    from seedproof.inside.pins.callers import Place
    from seedproof.inside.recorder import Recorder

MOST_MET = 10_000


class NoTensorError(Exception):
    """There is nothing in it that has bits."""


class Met(NamedTuple):
    """A layer or an operation that was met, with the digests of its tensors, and those that it
    gave, in the graph that has them."""

    name: str
    place: Place | None
    inputs: Any
    outputs: Any
    tensors: Sequence[Any]
    graph: Any


class Closely(threading.local):
    """What was met in this thread since the last update."""

    def __init__(self, recorder: Recorder, inputs: Inputs, step: int) -> None:
        self._recorder = recorder
        self._inputs = inputs
        self._step = step
        self._operations = Operations(recorder)
        self._met: list[Met] = []
        self.each = EachOperation(recorder, self._operations, step, self._operation)

    def watch(self, owner: Any) -> None:
        """Wraps the call of a class of layers."""
        call = owner.__call__

        @instead_of(call)
        def wrapper(layer: Any, *arguments: Any, **named: Any) -> Any:
            if not self._is_to_be_met():
                return call(layer, *arguments, **named)
            with self.each.quiet():
                before = self._guarded(_taken_by, layer, arguments, named)
                outputs = call(layer, *arguments, **named)
                if before is not None:
                    self._guarded(self._called, layer, before, outputs)
            return outputs

        owner.__call__ = wrapper

    def _is_to_be_met(self) -> bool:
        """A graph is traced once for all steps; what is eager tells of its operations itself."""
        is_seen = self._inputs.has_tape_here() and not is_out_of_reach()
        return is_seen and tf.inside_function() and len(self._met) <= MOST_MET

    def _called(self, layer: Any, before: Any, outputs: Any) -> None:
        name = f"{layer.name} ({type(layer).__name__})"
        tensors = _tensors(outputs)
        after = _digest(tensors)
        place = _place_of(layer) or _line_of(tensors[0])
        self._met.append(Met(name, place, before, after, tensors, graph_here()))

    def _operation(self, name: str, inputs: Any, outputs: Any) -> None:
        given = _tensors(outputs)
        if given and len(self._met) <= MOST_MET:
            before, after = _digest_if_any(_tensors(inputs)), _digest(given)
            self._met.append(Met(name, _line_of(given[0]), before, after, (), graph_here()))

    def sources(self) -> list[Any]:
        """The outputs of layers that can have gradients: where these are to be had, `gradients`
        is to be told of them."""
        return [tensor for met in self._here() for tensor in met.tensors if _has_gradient(tensor)]

    def gradients(self, found: Sequence[Any]) -> None:
        """The gradients of `sources`: each is made of what comes after it."""
        self._guarded(self._differentiated, list(found))

    def _differentiated(self, found: list[Any]) -> None:
        before = None
        for met in reversed(self._here()):
            gradients = _tensors([found.pop() for one in met.tensors if _has_gradient(one)])
            if gradients:
                after = _digest(gradients)
                before = met.outputs if before is None else before
                name = f"the gradient of {met.name}"
                self._met.append(Met(name, met.place, before, after, (), met.graph))
                before = after

    def _here(self) -> list[Met]:
        return [met for met in self._met if met.graph is graph_here()]

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
        here, self._met = self._here(), []
        if here:
            table = Table(self._operations, self._step, here)
            rows.add(table)
            table.append(step, [tf.stack([one.inputs, one.outputs]) for one in here])


class Table(GraphRows):
    """What one graph met, in its order: a row for each of its updates."""

    def __init__(self, operations: Operations, step: int, met: Sequence[Met]) -> None:
        super().__init__(2 * len(met))
        self._operations = operations
        self._step = step
        self._met = [(one.name, one.place) for one in met]

    def drain(self) -> None:
        """Tells of the step in question, if it is among the rows in the queue."""
        rows = self.taken()
        for step, *words in () if rows is None else rows:
            if step == self._step:
                pairs = np.asarray(words).astype(np.uint64).reshape(-1, 2).tolist()
                for (name, place), (before, after) in zip(self._met, pairs):
                    self._operations.tell(name, place, [before], [after])


def _place_of(layer: Any) -> Place | None:
    """The user's own code of a layer."""
    code = getattr(type(layer).call, "__code__", None)
    return None if code is None else own_line([(code.co_filename, code.co_firstlineno)])


def _line_of(tensor: Any) -> Place | None:
    """The line that led to a tensor of a graph; TensorFlow knows it also of functions that it has
    rewritten."""
    frames = reversed(getattr(tensor.op, "traceback", None) or ())
    return own_line((frame.filename, frame.lineno) for frame in frames) or place_behind("")


def _taken_by(layer: Any, arguments: Any, named: Any) -> Any:
    return _digest_if_any([*_tensors((arguments, named)), *_own_weights(layer)])


def _digest_if_any(tensors: Sequence[Any]) -> Any:
    return _digest(tensors) if tensors else tf.constant(0, tf.int64)


def _digest(tensors: Sequence[Any]) -> Any:
    """One digest of all of these, as an int64 scalar."""
    if not tensors:
        raise NoTensorError
    return digests([digests(tensors)])[0]


def _tensors(structure: Any) -> list[Any]:
    """The tensors in a structure whose rank is known; a sparse one has three."""
    found = [leaf for leaf in tensors_in(structure) if tf.is_tensor(leaf)]
    return [tensor for tensor in found if tensor.shape.rank is not None]


def _has_gradient(tensor: Any) -> bool:
    return bool(tensor.dtype.is_floating)


def _own_weights(layer: Any) -> list[Any]:
    """Those of a layer that has no layers of its own, which are met by themselves."""
    is_leaf = next(iter(layer._flatten_layers(include_self=False)), None) is None
    return [tf.convert_to_tensor(v) for v in layer.variables] if is_leaf else []
