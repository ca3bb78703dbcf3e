"""Records made inside TensorFlow's graph: digests by integer operations, rows through a queue.

The same `ml64/1` as `seedproof.trace.digest`, written in TensorFlow's operations, so that only
one small row per step leaves the graph. The queue keeps the rows in order and drops none; a
thread of the recorder empties it while the training runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import tensorflow as tf

from seedproof.trace.digest import BLOCK, header, keys, shape_key, signed

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder
    from seedproof.trace.format import Column

QUEUE_ROWS = 1 << 20
_FOLDS = 3  # enough for 2**43 words


def digest(tensor: Any) -> Any:
    """The digest of a dense tensor, as an int64 scalar of the same 64 bits."""
    return _fold(_words(tensor)) + _header(tensor)


def _header(tensor: Any) -> Any:
    """Dtype and shape; an axis whose length the graph does not know is read when it runs."""
    known = [axis or 0 for axis in tensor.shape]
    constant = tf.constant(signed(header(tensor.dtype.name, known)), tf.int64)
    for axis, length in enumerate(tensor.shape):
        if length is None:
            factor = tf.constant(signed(shape_key(axis)), tf.int64)
            constant += factor * tf.shape(tensor, tf.int64)[axis]
    return constant


def _words(tensor: Any) -> Any:
    if tensor.dtype == tf.bool:
        tensor = tf.cast(tensor, tf.int8)
    word = {1: tf.int8, 2: tf.int16}.get(tensor.dtype.size, tf.int32)
    return tf.reshape(tf.bitcast(tensor, word), [-1])


def _fold(words: Any) -> Any:
    if words.shape[0] is None:
        return _fold_unknown(words)
    while words.shape[0] > BLOCK:
        words = tf.bitcast(_block_sums(words, -words.shape[0] % BLOCK), tf.int32)
        words = tf.reshape(words, [-1])
    position_keys = tf.constant(keys(words.shape[0])[:, None])
    return tf.matmul(tf.cast(words, tf.int64)[None, :], position_keys)[0, 0]


def _fold_unknown(words: Any) -> Any:
    """As `_fold`, where only the running graph knows the length: each fold may be the last."""
    sums = _block_sums(words, -tf.size(words) % BLOCK)
    for _ in range(_FOLDS - 1):
        words = tf.reshape(tf.bitcast(sums, tf.int32), [-1])
        again = _block_sums(words, -tf.size(words) % BLOCK)
        sums = tf.cond(tf.size(sums) > 1, lambda again=again: again, lambda sums=sums: sums)
    return tf.reduce_sum(sums)


def _block_sums(words: Any, missing: Any) -> Any:
    padded = tf.pad(words, [[0, missing]])
    blocks = tf.reshape(tf.cast(padded, tf.int64), [-1, BLOCK])
    return tf.matmul(blocks, tf.constant(keys(BLOCK)[:, None]))[:, 0]


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
        return 0 if self._variable is None else int(self._variable.numpy())


class GraphTable:
    """A table whose rows are computed in a graph."""

    def __init__(self, recorder: Recorder, key: str, columns: Sequence[Column]) -> None:
        self._table = recorder.table(key, columns)
        with tf.init_scope(), tf.device("CPU:0"):
            self._queue = tf.queue.FIFOQueue(QUEUE_ROWS, [tf.int64], [[1 + len(columns)]])

    def append(self, step: Any, digests: list[Any]) -> Any:
        """Puts one row in the queue; the operation that does."""
        with tf.device("CPU:0"):
            return self._queue.enqueue(tf.stack([step, *digests]))

    def drain(self) -> None:
        """Writes the rows that are in the queue."""
        waiting = int(self._queue.size())
        if waiting:
            rows = self._queue.dequeue_many(waiting).numpy()
            self._table.append_rows(rows.astype("<i8").tobytes())
