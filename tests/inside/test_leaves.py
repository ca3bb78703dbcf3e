"""Values taken apart: names, order, bits, and what has none."""

import collections
import math
import types

import numpy as np
import pytest

from seedproof.inside.leaves import flatten
from seedproof.trace.digest import digest_array

Point = collections.namedtuple("Point", "x y")


def names(value):
    return [leaf.name for leaf in flatten("v", value)]


def digest(value):
    (leaf,) = flatten("v", value)
    return leaf.dtype, leaf.digest


def assert_different(*values):
    assert len({digest(value) for value in values}) == len(values)


# -- names and order ---------------------------------------------------------------------------


def test_a_value_of_one_piece_has_the_given_name():
    assert names(1.0) == names(np.zeros(3)) == ["v"]


def test_dictionaries_go_by_key_and_sequences_by_position():
    value = {"b": [1, (2, 3)], "a": {"y": 4, "x": 5}}
    assert names(value) == ["v/a/x", "v/a/y", "v/b/0", "v/b/1/0", "v/b/1/1"]
    assert [leaf.digest for leaf in flatten("v", value)] == [
        digest(number)[1] for number in (5, 4, 1, 2, 3)
    ]


def test_the_order_of_insertion_does_not_matter():
    there = {"a": 1, "b": 2, 1: 3, "1": 4}
    back = dict(reversed(there.items()))
    assert flatten("v", there) == flatten("v", back)


@pytest.mark.parametrize(
    "mapping",
    [collections.OrderedDict, collections.defaultdict, types.MappingProxyType, dict],
)
def test_every_mapping_is_a_dictionary(mapping):
    made = mapping({"a": 1}) if mapping is not collections.defaultdict else mapping(int, a=1)
    assert flatten("v", made) == flatten("v", {"a": 1})


def test_a_named_tuple_is_a_sequence():
    assert flatten("v", Point(1, 2)) == flatten("v", [1, 2])


def test_without_a_name_the_keys_are_the_names():
    found = flatten("", {"dense/kernel": np.zeros(2), "": 1})
    assert [leaf.name for leaf in found] == ["", "dense/kernel"]


@pytest.mark.parametrize("empty", [[], (), {}, {"a": [], "b": {}}])
def test_what_is_empty_has_no_leaves(empty):
    assert flatten("v", empty) == []


# -- bits --------------------------------------------------------------------------------------


def test_an_array_has_the_digest_of_its_bits():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (leaf,) = flatten("v", array)
    assert (leaf.dtype, leaf.shape, leaf.digest) == ("float32", (2, 3), digest_array(array))
    assert leaf.array is array


@pytest.mark.parametrize("scalar", [np.float32(1.5), np.float64(1.5), np.int8(3), np.bool_(True)])
def test_a_scalar_of_numpy_is_an_array_without_axes(scalar):
    assert digest(scalar) == digest(np.asarray(scalar))
    (leaf,) = flatten("v", scalar)
    assert (leaf.dtype, leaf.shape) == (str(scalar.dtype), ())


def test_python_s_own_scalars_differ_by_type_and_value():
    assert_different(0, 1, -1, False, True, 0.0, 1.0, None, "", "0", "1", b"", b"0", 0j, 1j)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (0.0, -0.0),
        (0.1 + 0.2, 0.3),
        (math.nan, math.copysign(math.nan, -1)),
        (complex(0, 0.0), complex(0, -0.0)),
        (complex(1, 2), complex(2, 1)),
        (2**64, 2**64 + 1),
        (127, -129),
        (255, -1),
        (2**64, 0),
        ("e\u0301", "é"),
        ("\udc80", "\udc81"),
    ],
)
def test_every_bit_of_a_scalar_counts(ours, theirs):
    assert_different(ours, theirs)
    assert digest(ours) == digest(ours)


def test_a_number_of_any_length_has_bits():
    assert_different(1 << 20_000, (1 << 20_000) + 1, -(1 << 20_000))


def test_equal_scalars_are_equal():
    for value in (math.nan, 3, "text", b"bytes", None, True, 1.5 + 2j):
        assert digest(value) == digest(value)


# -- what has no bits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        frozenset(),
        object(),
        len,
        (number for number in range(3)),
        range(3),
        np.array([None]),
        [1, {"a": {2}}],
    ],
)
def test_what_has_no_bits_is_refused(value):
    with pytest.raises(TypeError, match=r"seedproof.record takes|no bits to compare"):
        flatten("v", value)


def test_keys_that_are_named_by_their_address_are_refused():
    with pytest.raises(TypeError, match="recorded by its keys; one of object has no name"):
        flatten("v", {object(): 1})


def test_what_a_mask_hides_is_refused():
    with pytest.raises(TypeError, match="mask"):
        flatten("v", np.ma.masked_array([1, 2], [True, False]))


def test_an_array_that_cannot_be_had_yet_is_refused():
    class Symbolic:
        def __array__(self, dtype=None, copy=None):
            raise NotImplementedError

    with pytest.raises(TypeError, match="a Symbolic has no value yet"):
        flatten("v", Symbolic())


# -- tensors of the frameworks -----------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64"]
)
def test_a_tensor_of_pytorch_has_the_bits_of_its_array(dtype):
    torch = pytest.importorskip("torch")
    array = np.arange(6).reshape(2, 3).astype(dtype)
    assert digest(torch.from_numpy(array)) == digest(array)
    assert digest(torch.from_numpy(array).T) == digest(array.T)


def test_a_parameter_of_pytorch_is_a_tensor():
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.ones(3))
    assert digest(parameter) == digest(np.ones(3, np.float32))


def test_a_view_of_pytorch_is_what_it_stands_for():
    torch = pytest.importorskip("torch")
    number = torch.tensor([1 + 2j])
    assert digest(number.conj()) == digest(np.complex64([1 - 2j]))
    assert digest(number.conj().imag) == digest(np.float32([-2]))


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_lacks_keep_their_name_and_bits(name):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([1.0, -0.0, 3.0]).to(getattr(torch, name))
    (leaf,) = flatten("v", tensor)
    assert (leaf.dtype, leaf.shape) == (name, (3,))
    raw = tensor.view({1: torch.int8, 2: torch.int16}[tensor.element_size()]).numpy()
    assert leaf.array.tobytes() == raw.tobytes()
    assert_different(tensor, raw, tensor.abs())


def test_a_bfloat16_is_the_same_in_pytorch_and_jax():
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    ours = torch.tensor([1.0, 2.5], dtype=torch.bfloat16)
    theirs = jax.numpy.array([1.0, 2.5], dtype=jax.numpy.bfloat16)
    assert digest(ours) == digest(theirs)


def test_a_sparse_tensor_of_pytorch_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError):
        flatten("v", torch.eye(3).to_sparse())


def test_an_array_of_jax_has_the_bits_of_its_array():
    jax = pytest.importorskip("jax")
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest(jax.numpy.array(array)) == digest(array)


def test_what_jax_traces_is_refused():
    jax = pytest.importorskip("jax")
    with pytest.raises(TypeError):
        jax.jit(lambda x: flatten("v", x))(1.0)
