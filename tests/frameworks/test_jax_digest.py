"""Digests of many arrays at once, and those that a device computes, are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from seedproof.trace.digest import digest_array
from seedproof.trace.keys import BLOCK

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
on_host = pytest.importorskip("seedproof.frameworks.jax.digest")
on_device = pytest.importorskip("seedproof.frameworks.jax.device_digest")
copies = pytest.importorskip("seedproof.frameworks.jax.copies")
jax_look = pytest.importorskip("seedproof.frameworks.jax.look")

pytestmark = pytest.mark.usefixtures("arithmetic", "new_layouts")

GENERATOR = np.random.default_rng(0)
WIDE = ("int64", "uint64", "float64", "complex128")
DTYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "bfloat16"),
    *("float32", "complex64", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"),
)
SHAPES = [(), (1,), (7,), (3, 4), (2, 1, 5), (0,), (3, 0)]
LENGTHS = [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 5 * BLOCK + 7]


def random(dtype, *shape):
    """Any bits that the dtype can have, NaNs and all."""
    size = int(np.prod(shape))
    if dtype in ("bool", "int4", "uint4"):
        return GENERATOR.integers(0, 2 if dtype == "bool" else 8, size).astype(dtype).reshape(shape)
    kind = np.dtype(jnp.dtype(dtype))
    raw = np.frombuffer(GENERATOR.bytes(kind.itemsize * size), np.uint8)
    return raw.view(kind).reshape(shape)


@pytest.fixture
def new_layouts():
    """What is kept of arrays depends on who digests them."""
    forget = (on_host._layout.cache_clear, copies.layout_of.cache_clear, copies._uses.clear)
    for each in forget:
        each()
    yield
    for each in forget:
        each()


def name_of(array):
    return str(array.dtype)


def copied(arrays):
    """The digests that are found from copies."""
    signature = on_host.signature_of(arrays, list(map(name_of, arrays)))
    return copies.digests(arrays, signature)


def device_digest(array):
    (found,) = on_device.digests([jnp.asarray(array)], [name_of(array)])
    return int(found)


# -- on the host -------------------------------------------------------------------------------


def test_many_arrays_at_once_have_the_digests_that_each_has():
    arrays = [random(dtype, *shape) for dtype in (*DTYPES, *WIDE) for shape in SHAPES]
    names = list(map(name_of, arrays))
    assert on_host.digests(arrays, names) == list(map(digest_array, arrays))


@pytest.mark.parametrize("length", LENGTHS)
def test_large_arrays_are_folded(length):
    arrays = [random("float32", length), random("int8", length), random("float32", 3)]
    names = list(map(name_of, arrays))
    assert on_host.digests(arrays, names) == list(map(digest_array, arrays))


def test_memory_layout_is_no_part_of_a_digest():
    array = random("float32", 6, 5)
    assert on_host.digests([array.T], ["float32"]) == [digest_array(array.T.copy())]


def test_another_byte_order_is_another_type():
    array = random("float32", 6).astype(">f4")
    assert on_host.digests([array], [name_of(array)]) == [digest_array(array)]


def test_one_bit_changes_the_digest_of_its_array_alone():
    arrays = [np.zeros(5, np.float32), np.zeros(5, np.float32)]
    before = on_host.digests(arrays, ["float32"] * 2)
    arrays[1].view("u4")[3] ^= 1
    after = on_host.digests(arrays, ["float32"] * 2)
    assert before[0] == after[0]
    assert before[1] != after[1]


# -- on a device -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_device_finds_the_digest_of_every_type(dtype):
    for shape in SHAPES:
        array = random(dtype, *shape)
        assert device_digest(array) == digest_array(array), shape


@pytest.mark.parametrize("length", LENGTHS)
def test_a_device_folds_as_the_host_does(length):
    array = random("float32", length)
    assert device_digest(array) == digest_array(array)


def test_many_arrays_make_one_batch():
    arrays = [random("float32", 3), random("int8", 2, 2), random("float32", BLOCK + 1)]
    found = on_device.digests(list(map(jnp.asarray, arrays)), list(map(name_of, arrays)))
    assert list(map(int, found)) == list(map(digest_array, arrays))


def test_a_digest_that_has_come_is_there():
    (found,) = on_device.digests([jnp.ones(3)], ["float32"])
    int(found)
    assert found.is_there()


@pytest.mark.parametrize("option", ["jax_numpy_rank_promotion", "jax_numpy_dtype_promotion"])
def test_a_strict_script_is_no_hindrance(option):
    strict = {"jax_numpy_rank_promotion": "raise", "jax_numpy_dtype_promotion": "strict"}
    before = getattr(jax.config, option)
    jax.config.update(option, strict[option])
    try:
        array = random("float32", 2 * BLOCK + 3)
        assert device_digest(array) == digest_array(array)
    finally:
        jax.config.update(option, before)


def test_nothing_is_added_to_what_the_script_is_tracing():
    array = jnp.arange(3.0)

    def traced(x):
        device_digest(array)
        return x + 1

    assert len(jax.make_jaxpr(traced)(1.0).eqns) == 1


# -- any leaf ----------------------------------------------------------------------------------


def test_the_bits_of_a_key_are_looked_at():
    first, again, other = (jax.random.key(seed) for seed in (1, 1, 2))
    words = jax_look.look([first, again, other])
    assert words[0] == words[1] != words[2]


def test_numbers_have_a_digest_of_their_type():
    one, true, float_one = jax_look.look([1, True, 1.0])
    assert len({one, true, float_one}) == 3


# -- copied on a CPU, read later ---------------------------------------------------------------


def test_copies_have_the_digests_of_the_arrays():
    arrays = [random(dtype, *shape) for dtype in DTYPES for shape in SHAPES]
    arrays += [random("float32", length) for length in LENGTHS]
    found = copied(list(map(jnp.asarray, arrays)))
    assert list(map(int, found)) == list(map(digest_array, arrays))


def test_copies_of_wide_arrays_have_the_digests_of_the_arrays():
    with on_device._enable_x64(True):
        arrays = [random(dtype, *shape) for dtype in WIDE for shape in SHAPES]
        on_cpu = list(map(jnp.asarray, arrays))
    found = copied(on_cpu)
    assert list(map(int, found)) == list(map(digest_array, arrays))


def test_an_array_that_is_used_up_afterwards_was_copied():
    array = random("float32", 300)
    on_cpu = jnp.array(array)
    (found,) = copied([on_cpu])
    jax.jit(lambda taken: taken + 1, donate_argnums=0)(on_cpu)
    assert on_cpu.is_deleted()
    assert int(found) == digest_array(array)


def test_arrays_that_come_often_are_copied_and_large_ones_never():
    arrays = jnp.zeros(3), jnp.zeros(copies.MOST_BYTES // 4 + 1)
    small, large = [on_host.signature_of([array], ["float32"]) for array in arrays]
    for _ in range(copies.USES):
        assert not copies.are_worth_it(small)
        assert not copies.are_worth_it(large)
    assert copies.are_worth_it(small)
    assert not copies.are_worth_it(large)
