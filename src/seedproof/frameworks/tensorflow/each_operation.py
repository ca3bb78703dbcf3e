"""Every operation of a training step of TensorFlow: for a close look.

The callbacks that TensorFlow's own debugger uses tell of them, in the thread that asked for them;
they hand on what was computed, untouched. What is carried out eagerly has its bits at once; in a
graph there is only what will have some.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterator

import tensorflow as tf

from seedproof.frameworks.tensorflow.reach import graph_here, is_out_of_reach
from seedproof.inside.pins.callers import place_behind
from seedproof.trace.digest import digest_array

if TYPE_CHECKING:
    from seedproof.inside.operations import Operations
    from seedproof.inside.recorder import Recorder

InGraph = Callable[[str, Any, Any], None]

_WITHOUT_BITS = (tf.resource, tf.variant, tf.string)
# They make nothing: what a variable holds, or what is handed in, was made before.
_HAND_ON = ("Const", "Placeholder", "ReadVariableOp")


class EachOperation(threading.local):
    """From the beginning of a tape to the update, in this thread: what is eager where that is at
    step `step`, and for all steps what is traced, of which `in_graph` is told by its name, its
    inputs and its outputs."""

    def __init__(
        self, recorder: Recorder, operations: Operations, step: int, in_graph: InGraph
    ) -> None:
        self._recorder = recorder
        self._operations = operations
        self._step = step
        self._in_graph = in_graph
        self._graph: Any = None
        self._is_on = False
        self._is_quiet = False

    def begin(self) -> None:
        """A tape begins to record."""
        if self._is_on and self._graph is None:  # what is traced now is called eagerly
            return
        graph = graph_here() if tf.inside_function() else None
        is_at_step = self._recorder.step() + 1 == self._step
        if is_at_step if graph is None else not is_out_of_reach():
            self._graph = graph
            self._set(True)

    def end(self) -> None:
        """What it led to is about to be used for an update."""
        self._set(False)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Around what we compute ourselves."""
        before, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = before

    def _set(self, on: bool) -> None:
        if on == self._is_on:  # one that failed, it may be, has begun and not ended
            return
        try:
            from tensorflow.python.framework import op_callbacks

            change = op_callbacks.add_op_callback if on else op_callbacks.remove_op_callback
            change(self._met)
            self._is_on = on
        except Exception as error:
            self._say(error)

    def _met(
        self,
        op_type: Any,
        inputs: Any,
        attrs: Any,
        outputs: Any,
        op_name: Any = None,
        graph: Any = None,
    ) -> None:
        """TensorFlow calls it with the names of these parameters."""
        name = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
        if graph is not self._graph or self._is_quiet or name in _HAND_ON:
            return
        with self.quiet():
            try:
                if graph is None:
                    self._tell(name, inputs, outputs)
                else:
                    self._in_graph(name, inputs, outputs)
            except Exception as error:
                self._say(error)

    def _tell(self, name: str, inputs: Any, outputs: Any) -> None:
        given = _digests(outputs)
        if given:
            self._operations.tell(name, place_behind(""), _digests(inputs), given)

    def _say(self, error: Exception) -> None:
        self._recorder.event("note", text=f"not every operation was looked at: {error!r}")


def _digests(tensors: Any) -> list[int]:
    found = (one for one in tf.nest.flatten(tensors) if isinstance(one, tf.Tensor))
    return [digest_array(one.numpy()) for one in found if one.dtype not in _WITHOUT_BITS]
