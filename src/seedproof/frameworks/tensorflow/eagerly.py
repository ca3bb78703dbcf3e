"""Every operation of one training step that TensorFlow carries out eagerly: for a close look.

The callbacks that TensorFlow's own debugger uses tell of them, in the thread that asked for them;
they hand on what was computed, untouched.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Iterator

import tensorflow as tf

from seedproof.inside.pins.callers import place_behind
from seedproof.trace.digest import digest_array

if TYPE_CHECKING:
    from seedproof.inside.operations import Operations
    from seedproof.inside.recorder import Recorder

_WITHOUT_BITS = (tf.resource, tf.variant, tf.string)


class Eagerly(threading.local):
    """From the beginning of a tape to the update, in this thread, where that is at step `step`."""

    def __init__(self, recorder: Recorder, operations: Operations, step: int) -> None:
        self._recorder = recorder
        self._operations = operations
        self._step = step
        self._is_on = False
        self._is_quiet = False

    def begin(self) -> None:
        """A tape begins to record."""
        if not self._is_on and not tf.inside_function() and self._recorder.step() + 1 == self._step:
            self._set(True)

    def end(self) -> None:
        """What it led to is about to be used for an update."""
        if self._is_on:
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
        if graph is not None or self._is_quiet:
            return
        with self.quiet():
            try:
                given = _digests(outputs)
                if given:
                    name = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
                    self._operations.tell(name, place_behind(""), _digests(inputs), given)
            except Exception as error:
                self._say(error)

    def _say(self, error: Exception) -> None:
        self._recorder.event("note", text=f"not every operation was looked at: {error!r}")


def _digests(tensors: Any) -> list[int]:
    found = (one for one in tf.nest.flatten(tensors) if isinstance(one, tf.Tensor))
    return [digest_array(one.numpy()) for one in found if one.dtype not in _WITHOUT_BITS]
