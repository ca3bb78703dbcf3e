"""The digest of an array: against slow integers, and against what a weaker one would not see."""

import hashlib
import itertools

import numpy as np
import pytest

from seedproof.trace import sums
from seedproof.trace.digest import DIGEST_ID, digest_array, digest_bytes
from seedproof.trace.keys import BLOCK, keys, splitmix64

pytestmark = pytest.mark.usefixtures("arithmetic")

GENERATOR = np.random.default_rng(0)
MODULUS = 2**64
HEADER = 2**40


def key(position):
    """The published SplitMix64 from seed 0: the output after `position` others."""
    state = (position + 1) * 0x9E3779B97F4A7C15 % MODULUS
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % MODULUS
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % MODULUS
    return state ^ (state >> 31)


def dot(words):
    return sum(word * key(at) for at, word in enumerate(words)) % MODULUS


def in_words(raw, width):
    return [
        int.from_bytes(raw[at : at + width], "little", signed=True)
        for at in range(0, len(raw), width)
    ]


def slow_digest(array, block=BLOCK):
    """The definition, in Python's integers."""
    width = array.dtype.itemsize if array.dtype.itemsize < 4 else 4
    words = in_words(array.tobytes(), width)
    while len(words) > block:
        sums = [dot(words[at : at + block]) for at in range(0, len(words), block)]
        words = in_words(b"".join(word.to_bytes(8, "little") for word in sums), 4)
    name = hashlib.blake2b(str(array.dtype).encode(), digest_size=4).digest()
    described = [int.from_bytes(name, "little"), array.ndim, *array.shape]
    header = sum(word * key(HEADER + at) for at, word in enumerate(described))
    return (dot(words) + header) % MODULUS


def random(dtype, *shape):
    """Any bits that the dtype can have, NaNs and all."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return GENERATOR.random(shape) < 0.5
    raw = GENERATOR.bytes(dtype.itemsize * int(np.prod(shape)))
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def flipped(array, element, bit=0):
    """The same with one bit of one element changed."""
    changed = array.copy()
    changed.reshape(-1).view(np.uint8)[element * array.dtype.itemsize + bit // 8] ^= 1 << bit % 8
    return changed


def assert_different(*arrays):
    assert len({digest_array(np.asarray(array)) for array in arrays}) == len(arrays)


DTYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "float16", "int32", "uint32", "float32"),
    *("int64", "uint64", "float64", "complex64", "complex128", "datetime64[ns]", "S3", "S5", "<U3"),
)


# -- the definition ----------------------------------------------------------------------------


def test_the_keys_are_the_published_sequence():
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [splitmix64(at) for at in range(3)] == published
    assert keys(3).view(np.uint64).tolist() == published


def test_what_the_digest_s_name_stands_for_never_changes():
    assert DIGEST_ID == "ml64/1"
    assert digest_array(np.arange(6, dtype=np.float32).reshape(2, 3)) == 0x3BAC5D48969C0BB1
    assert digest_array(np.arange(100_000, dtype=np.float64)) == 0x77A2228659F48727
    assert digest_array(np.array([True, False])) == 0xBB1BD8D13316ACAB


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name not in ("S3", "S5")])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (3, 1, 2)])
def test_every_dtype_is_digested_by_its_definition(dtype, shape):
    array = random(dtype, *shape)
    assert digest_array(array) == slow_digest(array)


@pytest.mark.parametrize("length", [*range(7, 10), *range(15, 18), 31, 32, 33, 64, 127, 129, 600])
def test_long_arrays_are_folded_by_the_definition(length, monkeypatch):
    monkeypatch.setattr(sums, "_is_right", lambda: False)
    monkeypatch.setattr(sums, "BLOCK", 8)
    array = random("int32", length)
    assert digest_array(array) == slow_digest(array, block=8)


@pytest.mark.parametrize("dtype", ["int8", "float16", "float64"])
def test_a_block_and_more_by_the_definition(dtype):
    array = random(dtype, BLOCK + 3)
    assert digest_array(array) == slow_digest(array)


# -- what it sees ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bool"])
def test_one_bit_of_any_element_is_seen(dtype):
    array = random(dtype, 5)
    bits = range(8 * array.dtype.itemsize)
    assert_different(array, *(flipped(array, at, bit) for at in range(5) for bit in bits))


@pytest.mark.parametrize("dtype", DTYPES)
def test_swapped_elements_are_seen(dtype):
    array = random(dtype, 6)
    array[0], array[5] = np.zeros((), array.dtype), np.ones((), array.dtype)
    assert_different(array, array[[5, 1, 2, 3, 4, 0]])


def test_two_flipped_signs_that_cancel_in_a_sum_are_seen():
    array = random("int32", 8).view(np.float32)
    signs = flipped(flipped(array, 2, 31), 6, 31)
    assert array.view(np.uint32).sum(dtype=np.uint32) == signs.view(np.uint32).sum(dtype=np.uint32)
    assert_different(array, signs)


def test_minus_zero_is_not_zero():
    for dtype in ("float16", "float32", "float64", "complex64"):
        assert_different(np.zeros(3, dtype), -np.zeros(3, dtype))


def test_nans_differ_by_their_payload():
    plain = np.array([np.nan, 1], np.float32)
    assert digest_array(plain) == digest_array(plain.copy())
    assert_different(plain, flipped(plain, 0), -plain)


def test_dtype_and_shape_are_part_of_it():
    zeros = np.zeros(12, np.float32)
    assert_different(zeros, zeros.view(np.int32), zeros.view(np.uint32), zeros.view(np.float64))
    assert_different(*(zeros.reshape(shape) for shape in [(12,), (12, 1), (1, 12), (3, 4), (4, 3)]))


def test_the_order_of_bytes_is_part_of_the_dtype():
    assert_different(np.arange(3, dtype="<f4"), np.arange(3, dtype=">f4"))


def test_empty_arrays_and_scalars_are_told_apart():
    empty = [np.zeros(shape, np.float32) for shape in [(0,), (0, 3), (3, 0), (0, 0)]]
    assert_different(*empty, np.zeros(()), np.zeros(1), np.zeros((), np.float32))


@pytest.mark.parametrize("element", [0, 1, 32767, 32768, 65535, 65536, 1_199_999])
def test_one_bit_anywhere_in_a_long_array_is_seen(element):
    array = np.zeros(1_200_000, np.float32)
    assert_different(array, flipped(array, element), flipped(array, element, 31))


def test_blocks_that_change_places_are_seen():
    array = random("int32", 3 * BLOCK)
    assert_different(array, np.roll(array, BLOCK), np.roll(array, 2 * BLOCK))


def test_thousands_of_small_differences_never_collide():
    array = random("uint32", 40)
    seen = {digest_array(array)}
    for count, _ in itertools.product((1, 2), range(2500)):
        changed = array.copy()
        changed[GENERATOR.choice(40, count, replace=False)] ^= random("uint32", count) | 1
        seen.add(digest_array(changed))
    assert len(seen) == 5001


# -- what it does not see ----------------------------------------------------------------------


def test_the_layout_in_memory_does_not_matter():
    array = random("float64", 6, 8)
    for laid_out in (
        np.asfortranarray(array),
        np.repeat(array, 2, axis=1)[:, ::2],
        array[::-1, ::-1].copy()[::-1, ::-1],
        array.T.copy().T,
    ):
        assert not laid_out.flags.c_contiguous
        assert digest_array(laid_out) == digest_array(array)


def test_elements_that_share_memory_count_each():
    shared = np.broadcast_to(np.float32([1, 2]), (3, 2))
    assert digest_array(shared) == digest_array(shared.copy())


def test_the_array_is_left_as_it_is():
    array = random("float32", 5)
    array.flags.writeable = False
    before = array.tobytes()
    digest_array(array)
    assert array.tobytes() == before


@pytest.mark.skipif(np.finfo(np.longdouble).nmant != 63, reason="long doubles have no padding")
@pytest.mark.parametrize("dtype", ["longdouble", "clongdouble"])
@pytest.mark.parametrize(("order", "padding"), [("<", slice(10, None)), (">", slice(None, -10))])
def test_the_padding_of_long_doubles_does_not_count(dtype, order, padding):
    array = (np.arange(4).astype(dtype) / 3).astype(np.dtype(dtype).newbyteorder(order))
    other = array.copy()
    parts = other.view(np.uint8).reshape(-1, np.dtype("longdouble").itemsize)
    parts[:, padding] = ~parts[:, padding]
    assert (array == other).all()
    assert digest_array(array) == digest_array(other)
    assert_different(array, flipped(array, 1, 8 * 8))


INNER = np.dtype([("d", "u1"), ("e", "i4")], align=True)
PADDED = np.dtype([("a", "u1"), ("b", "f8"), ("c", INNER, (2,))], align=True)


def test_the_padding_of_records_does_not_count():
    memory = bytearray(b"\xaa" * 3 * PADDED.itemsize)
    array = np.frombuffer(memory, PADDED)
    for field in (array["a"], array["b"], array["c"]["d"], array["c"]["e"]):
        field[...] = 0
    assert memory.count(b"\xaa") == 3 * (7 + 2 * 3)
    assert digest_array(array) == digest_array(np.zeros(3, PADDED))


def test_the_padding_of_a_short_record_does_not_count():
    dtype = np.dtype({"names": ["a"], "formats": ["u1"], "itemsize": 2})
    array, other = (np.frombuffer(raw, dtype) for raw in (b"\1\2", b"\1\3"))
    assert digest_array(array) == digest_array(other)
    assert_different(array, np.frombuffer(b"\2\2", dtype))


def test_a_field_of_a_record_counts():
    array = np.zeros(3, PADDED)
    changed = array.copy()
    changed["c"]["e"][2, 1] = 1
    assert_different(array, changed)


@pytest.mark.parametrize(
    "array", [np.array([None, 1]), np.zeros(2, [("a", object)]), np.zeros(0, object)]
)
def test_python_objects_are_refused(array):
    with pytest.raises(TypeError, match="no bits to compare"):
        digest_array(array)


# -- what is no array --------------------------------------------------------------------------


def test_bytes_are_digested_with_their_kind():
    given = [(b"", "str"), (b"", "bytes"), (b"a", "str"), (b"b", "str"), (b"ab", "str")]
    digests = [digest_bytes(data, kind) for data, kind in given]
    assert len(set(digests)) == len(given)
    assert all(0 <= word < MODULUS for word in digests)
