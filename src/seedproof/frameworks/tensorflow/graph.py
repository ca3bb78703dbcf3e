"""Records made inside TensorFlow's graph: digests by integer operations, rows through a queue.

The same `ml64/1` as `seedproof.trace.digest`, written in TensorFlow's operations, so that only
one small row per step leaves the graph. The queue keeps the rows in order and drops none; a
thread of the recorder empties it while the training runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import tensorflow as tf

from seedproof.trace.digest import header, shape_key
from seedproof.trace.keys import BLOCK, keys, signed

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder
    from seedproof.trace.format import Column

QUEUE_ROWS = 1 << 20
SMALL = 1024  # words


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
    words = [_words(tensor) for tensor in tensors]
    small = [at for at, (row, _) in enumerate(words) if (row.shape[1] or SMALL + 1) <= SMALL]
    large = [at for at in range(len(words)) if at not in set(small)]
    sums = [tf.reshape(_fold(words[at]), [1]) for at in large]
    if small:
        sums.append(_fold_together([words[at][0] for at in small]))
    bodies = tf.gather(tf.concat(sums, 0), [(large + small).index(at) for at in range(len(words))])
    return bodies + tf.constant([_known_header(tensor) for tensor in tensors], tf.int64)


def _known_header(tensor: Any) -> int:
    """Dtype and shape; an axis whose length only the running graph knows counts as 0 here."""
    return signed(header(tensor.dtype.name, [axis or 0 for axis in tensor.shape]))


def _words(tensor: Any) -> tuple[Any, Any]:
    """A row vector of words, and what the unknown axes add to the header (None without any)."""
    if tensor.dtype == tf.bool:
        tensor = tf.cast(tensor, tf.int8)
    word = {1: tf.int8, 2: tf.int16}.get(tensor.dtype.size, tf.int32)
    row = tf.cast(tf.reshape(tf.bitcast(tensor, word), [1, -1]), tf.int32)
    unknown = [axis for axis, length in enumerate(tensor.shape) if length is None]
    if not unknown:
        return row, None
    lengths = tf.gather(tf.shape(tensor, tf.int64), unknown)
    factors = tf.constant([signed(shape_key(axis)) for axis in unknown], tf.int64)
    return row, tf.reduce_sum(lengths * factors)


def _fold_together(rows: Sequence[Any]) -> Any:
    """Many short rows as one matrix: words of zero add nothing, and operations cost more."""
    width = max(row.shape[1] for row in rows)
    wide = [tf.cast(row, tf.int64) for row in rows]
    padded = [tf.pad(row, [[0, 0], [0, width - row.shape[1]]]) for row in wide]
    return tf.reshape(_dot(tf.concat(padded, 0), _keys(width)), [-1])


def _fold(words: tuple[Any, Any]) -> Any:
    row, more_header = words
    if more_header is not None:
        return _fold_unknown(row) + more_header
    while row.shape[1] > BLOCK:
        row = _as_row(_sums_of_blocks(tf.pad(row, [[0, 0], [0, -row.shape[1] % BLOCK]])))
    return tf.reshape(_dot(row, _keys(row.shape[1])), [])


def _fold_unknown(row: Any) -> Any:
    """As `_fold`, where only the running graph knows the length."""
    size = tf.size(row)
    sums = _sums_with_rest(row, size)
    words_left = (size + BLOCK - 1) // BLOCK * 2
    return tf.cond(size > BLOCK, lambda: _fold_sums(sums, words_left), lambda: tf.reduce_sum(sums))


def _fold_sums(sums: Any, words: Any) -> Any:
    """One more fold, or two: enough for 2**43 words. A block of zeros at the end adds nothing, so
    it is no reason for another fold."""
    row = _as_row(sums)
    again = _sums_with_rest(row, tf.size(row))
    last = lambda: tf.reduce_sum(_sums_with_rest(_as_row(again), 2 * tf.size(again)))  # noqa: E731
    return tf.cond(words > BLOCK, last, lambda: tf.reduce_sum(again))


def _sums_with_rest(row: Any, size: Any) -> Any:
    """The sums of the whole blocks of `row`, then that of what is left over."""
    whole = size // BLOCK * BLOCK
    rest = row[:, whole:]
    rest_sum = _dot(rest, _keys(BLOCK)[: size - whole])
    return tf.concat([_sums_of_blocks(row[:, :whole]), tf.reshape(rest_sum, [1])], 0)


def _sums_of_blocks(row: Any) -> Any:
    blocks = tf.reshape(row, [-1, BLOCK])
    return tf.reshape(_dot(blocks, _keys(BLOCK)), [-1])


def _dot(rows: Any, position_keys: Any) -> Any:
    return tf.matmul(tf.cast(rows, tf.int64), position_keys)


_key_cache: dict[int, Any] = {}


def _keys(count: int) -> Any:
    """The first position keys as a column; made once, so that graphs share it."""
    if count not in _key_cache:
        with tf.init_scope():
            _key_cache[count] = tf.constant(keys(count)[:, None])
    return _key_cache[count]


def _as_row(sums: Any) -> Any:
    return tf.reshape(tf.bitcast(sums, tf.int32), [1, -1])


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
