"""Records made inside TensorFlow's graph: digests by an operation of its own, rows through a queue.

Only one small row per step leaves the graph. The queue keeps the rows in order and drops none; a
thread of the recorder empties it while the training runs.

The digests are `farm64/1`: the raw bytes' `Fingerprint64` of FarmHash (Pike, 2014), which is the
same on every machine and for ever, plus the header of `ml64/1` for dtype and shape. TensorFlow has
one operation that reads a tensor's bytes where they lie, and this is it; `ml64/1` in its operations
copies each word twice, and takes three times as long, and six times for small tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import tensorflow as tf

from seedproof.trace.digest import header, shape_key
from seedproof.trace.keys import signed

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder
    from seedproof.trace.format import Column

QUEUE_ROWS = 1 << 20


def digest(tensor: Any) -> Any:
    """The digest of a dense tensor, as an int64 scalar of the same 64 bits."""
    return digests([tensor])[0]


def digests(tensors: Sequence[Any]) -> Any:
    """The digests of dense tensors of known rank, as an int64 vector.

    Each new model is traced anew; a function of its own is traced once for the same shapes.
    """
    signature = tuple((tensor.dtype, tuple(tensor.shape)) for tensor in tensors)
    if signature not in _functions:
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
        with tf.init_scope():
            function = tf.function(_digests, autograph=False)
            _functions[signature] = function.get_concrete_function(*specs)
    return _functions[signature](*tensors)


_functions: dict[Any, Any] = {}


def _digests(*tensors: Any) -> Any:
    with tf.device("CPU:0"):  # the operation is known there alone
        bodies = tf.concat([_fingerprint(tensor) for tensor in tensors], 0)
        return tf.bitcast(bodies, tf.int64) + _headers(tensors)


def _fingerprint(tensor: Any) -> Any:
    """Eight bytes, as a matrix of one row."""
    row = tf.reshape(tensor, [1, -1])
    return tf.raw_ops.Fingerprint(data=row, method="farmhash64")


def _headers(tensors: Sequence[Any]) -> Any:
    """Dtypes and shapes, also where only the running graph knows the length of an axis."""
    known = [signed(header(t.dtype.name, [axis or 0 for axis in t.shape])) for t in tensors]
    headers = tf.constant(known, tf.int64)
    if all(tensor.shape.is_fully_defined() for tensor in tensors):
        return headers
    return headers + tf.stack([_unknown_axes(tensor) for tensor in tensors])


def _unknown_axes(tensor: Any) -> Any:
    """What these add to the header, in which they stand as 0."""
    unknown = [axis for axis, length in enumerate(tensor.shape) if length is None]
    lengths = tf.gather(tf.shape(tensor, tf.int64), tf.constant(unknown, tf.int32))
    factors = tf.constant([signed(shape_key(axis)) for axis in unknown], tf.int64)
    return tf.reduce_sum(lengths * factors)


class StepCounter:
    """Counts the updates of all optimizers, inside the graph."""

    def __init__(self) -> None:
        self._variable: Any | None = None

    def variable(self) -> Any:
        """The counter, made outside any graph that is being traced."""
        if self._variable is None:
            with tf.init_scope(), tf.device("CPU:0"):
                self._variable = tf.Variable(0, dtype=tf.int64, trainable=False)
        return self._variable

    def done(self) -> int:
        """The number of updates whose rows are in their queues."""
        if self._variable is None:
            return 0
        with tf.init_scope():
            return int(self._variable.numpy())


class GraphRows:
    """Rows that are computed in a graph: the step, then so many words."""

    def __init__(self, words: int) -> None:
        with tf.init_scope(), tf.device("CPU:0"):
            self._queue = tf.queue.FIFOQueue(QUEUE_ROWS, [tf.int64], [[1 + words]])

    def append(self, step: Any, words: Sequence[Any]) -> Any:
        """Puts one row in the queue, from vectors of int64 words; the operation that does."""
        with tf.device("CPU:0"):
            return self._queue.enqueue(tf.concat([tf.reshape(step, [1]), *words], 0))

    def taken(self) -> Any:
        """The rows that are in the queue, as an array of int64; None where there are none."""
        waiting = int(self._queue.size())
        return self._queue.dequeue_many(waiting).numpy() if waiting else None


class GraphTable(GraphRows):
    """A table whose rows are computed in a graph."""

    def __init__(self, recorder: Recorder, key: str, columns: Sequence[Column]) -> None:
        super().__init__(len(columns))
        self._table = recorder.table(key, columns)

    def drain(self) -> None:
        """Writes the rows that are in the queue."""
        rows = self.taken()
        if rows is not None:
            self._table.append_rows(rows.astype("<i8").tobytes())
