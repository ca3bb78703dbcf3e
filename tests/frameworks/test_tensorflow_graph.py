"""TensorFlow's graph digests all bits of its tensors, and its rows come out in order."""

import struct

import numpy as np
import pytest

from seedproof.inside.recorder import Recorder
from seedproof.trace.digest import header
from seedproof.trace.format import FARM_DIGEST, Column
from seedproof.trace.reader import main_stream
from seedproof.trace.writer import StreamWriter
from traces import HELLO, rows_of

tf = pytest.importorskip("tensorflow")
in_graph = pytest.importorskip("seedproof.frameworks.tensorflow.graph")

GENERATOR = np.random.default_rng(0)
DTYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
SHAPES = [(), (1,), (7,), (3, 4), (2, 1, 5), (0,), (3, 0)]
MODULUS = 2**64
BUCKETS = 2**63 - 1
WELL_KNOWN = 2707943144012353530


def random(dtype, *shape):
    """Any bits that the dtype can have, NaNs and all."""
    dtype = tf.as_dtype(dtype).as_numpy_dtype
    if dtype is np.bool_:
        return GENERATOR.random(shape) < 0.5
    dtype = np.dtype(dtype)
    raw = GENERATOR.bytes(dtype.itemsize * int(np.prod(shape)))
    return np.frombuffer(raw, np.uint8).view(dtype).reshape(shape)


def expected(array):
    """What TensorFlow's other operation with that fingerprint gives of the raw bytes."""
    body = int(tf.strings.to_hash_bucket_fast(array.tobytes(), BUCKETS))
    return body, header(tf.as_dtype(array.dtype).name, array.shape)


def is_right(word, array):
    body, head = expected(array)
    return (int(word) - head) % MODULUS % BUCKETS == body


def graph_digest(array, shape=None):
    """The digest as a graph computes it that knows only `shape` of its input."""
    tensor = tf.constant(array)
    known = tf.TensorSpec(tensor.shape if shape is None else shape, tensor.dtype)
    graph = tf.function(in_graph.digest, input_signature=[known], autograph=False)
    return int(graph(tensor))


# -- digests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape_has_the_fingerprint_of_its_bytes(dtype, shape):
    array = random(dtype, *shape)
    assert is_right(in_graph.digest(tf.constant(array)), array)


@pytest.mark.parametrize("dtype", ["bool", "bfloat16", "float32", "int64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_graph_that_knows_no_length_gives_the_same(dtype, shape):
    array = random(dtype, *shape)
    assert is_right(graph_digest(array), array)
    assert is_right(graph_digest(array, [None] * len(shape)), array)


def test_one_graph_serves_batches_of_every_length():
    known = tf.TensorSpec([None, 3, None], tf.float32)
    digest = tf.function(in_graph.digest, input_signature=[known])
    for shape in [(1, 3, 1), (5, 3, 2), (0, 3, 4), (2, 3, 5000)]:
        array = random("float32", *shape)
        assert is_right(digest(tf.constant(array)), array)
    assert digest.experimental_get_tracing_count() == 1


def test_several_tensors_have_the_digests_of_their_own_in_their_order():
    arrays = [
        random("float32", 3),
        random("float32", 5000),
        random("int8", 2, 2),
        random("bool"),
        random("float64", 5),
        random("float32", 0),
        random("bfloat16", 2000),
        random("float32", 3),
    ]
    tensors = [tf.constant(array) for array in arrays]
    assert all(map(is_right, in_graph.digests(tensors), arrays))
    known = [
        tf.TensorSpec([None] * array.ndim, t.dtype)
        for array, t in zip(arrays, tensors, strict=True)
    ]
    for at in range(len(arrays)):
        spec = [known[i] if i == at else tf.TensorSpec.from_tensor(tensors[i]) for i in range(8)]
        graph = tf.function(in_graph.digests, input_signature=[spec], autograph=False)
        assert all(map(is_right, graph(tensors), arrays))


def test_the_same_on_every_machine_and_with_every_tensorflow():
    """What `farm64/1` stands for: another digest would need another name."""
    assert FARM_DIGEST == "farm64/1"
    assert int(in_graph.digest(tf.range(100.0))) == WELL_KNOWN


def test_every_bit_every_place_and_every_shape_counts():
    array = random("float32", 5, 41)
    others = [np.roll(array, 1), array[::-1], array.T, array.reshape(41, 5), array.view("int32")]
    for bit in range(array.nbytes * 8):
        raw = bytearray(array.tobytes())
        raw[bit // 8] ^= 1 << bit % 8
        others.append(np.frombuffer(raw, np.float32).reshape(5, 41))
    digests = {int(in_graph.digest(tf.constant(one))) for one in [array, *others]}
    assert len(digests) == 1 + len(others)


def test_bits_are_digested_and_not_numbers():
    nan = np.array([np.nan], np.float32)
    other_nan = (nan.view(np.uint32) ^ np.uint32(1)).view(np.float32)
    arrays = [nan, other_nan, -nan, np.float32([0]), np.float32([-0.0])]
    assert len({graph_digest(array) for array in arrays}) == len(arrays)


def test_what_is_digested_is_left_as_it_is():
    tensor = tf.constant(random("float32", 100))
    before = tensor.numpy().tobytes()
    in_graph.digest(tensor)
    assert tensor.numpy().tobytes() == before


# -- rows --------------------------------------------------------------------------------------


class Recording:
    """A recorder in this process that counts a graph's steps."""

    def __init__(self, directory):
        self.writer = StreamWriter(str(directory / "main"))
        self.writer.event("hello", **HELLO)
        self.recorder = Recorder(self.writer)
        self.counter = in_graph.StepCounter()
        self.tables = []
        self.recorder.add_counter(self.counter.done)
        self.recorder.add_drain(self.drain)
        self.directory = directory

    def drain(self):
        done = self.counter.done()
        for table in list(self.tables):
            table.drain()
        return done

    def table(self, key, *names):
        columns = [Column("update", name) for name in names]
        self.tables.append(in_graph.GraphTable(self.recorder, key, columns))
        return self.tables[-1]

    @property
    def stream(self):
        stream = main_stream(self.directory)
        stream.refresh()
        return stream


@pytest.fixture
def recording(tmp_path):
    recording = Recording(tmp_path)
    yield recording
    recording.recorder.finish()
    recording.writer.close()


def test_rows_come_in_the_order_of_their_steps_and_none_is_lost(recording):
    table = recording.table("optimizer0#0", "w")
    counter = recording.counter

    def update(at):
        step = counter.variable().read_value()
        row = table.append(step, [in_graph.digests([tf.cast(step, tf.float32)])])
        with tf.control_dependencies([row]):
            counter.variable().assign_add(1)
        return at + 1

    @tf.function(autograph=False)
    def train(steps):
        tf.while_loop(lambda at: at < steps, update, [0])

    for steps in (1, 500, 1500):
        train(tf.constant(steps))
    assert recording.recorder.step() == 2000
    recording.recorder.finish()
    rows = rows_of(recording.stream, "optimizer0#0")
    assert [step for step, _ in rows] == list(range(2001))
    assert all(is_right(word, np.float32(step)) for step, word in rows)
    assert recording.stream.watermark() == 2001
    assert recording.stream.ended


def test_rows_of_several_tables_lie_below_the_watermark(recording):
    tables = [recording.table(f"optimizer{number}#0", "w", "v") for number in range(2)]
    counter = recording.counter

    def update(number):
        step = counter.variable().read_value()
        row = tables[number].append(step, [tf.stack([step, -step])])
        with tf.control_dependencies([row] if tf.inside_function() else []):
            counter.variable().assign_add(1)

    @tf.function(autograph=False)
    def update_in_a_graph():
        for number in (0, 1, 0):
            update(number)

    for _ in range(100):
        update_in_a_graph()
        update(1)
        watermark = recording.stream.watermark()
        rows = [row for key in recording.stream.tables for row in rows_of(recording.stream, key)]
        assert {row[0] for row in rows} >= set(range(watermark))
    recording.recorder.finish()
    rows = [row for key in recording.stream.tables for row in rows_of(recording.stream, key)]
    assert sorted(rows) == [(step, step, -step % MODULUS) for step in range(400)]


def test_nothing_is_counted_before_the_first_step(recording):
    assert recording.counter.done() == 0
    assert recording.recorder.step() == -1


def test_a_row_holds_any_64_bits(recording):
    words = [0, 1, -1, 2**63 - 1, -(2**63)]
    table = recording.table("t", *map(str, words))
    table.append(tf.constant(3, tf.int64), [tf.constant(words, tf.int64)])
    table.drain()
    ((step, *found),) = rows_of(recording.stream, "t")
    assert (step, found) == (3, [struct.unpack("<Q", struct.pack("<q", w))[0] for w in words])
