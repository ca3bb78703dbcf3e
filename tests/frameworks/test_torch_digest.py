"""PyTorch's tensors have the digests of the same arrays in NumPy, wherever they are computed."""

from __future__ import annotations

import numpy as np
import pytest

from seedproof.inside.leaves import flatten
from seedproof.trace import sums
from seedproof.trace.digest import digest_array
from seedproof.trace.keys import BLOCK

torch = pytest.importorskip("torch")
known = pytest.importorskip("seedproof.frameworks.torch.found").known
looking = pytest.importorskip("seedproof.frameworks.torch.look")

GENERATOR = np.random.default_rng(0)
DTYPES = (
    *("bool", "int8", "uint8", "int16", "int32", "int64", "float16", "bfloat16"),
    *("float32", "float64", "complex64", "complex128"),
)
SHAPES = [(), (1,), (7,), (3, 4), (2, 1, 5), (0,), (3, 0)]


def random(dtype, *shape):
    """Any bits that the dtype can have, NaNs and all."""
    dtype = getattr(torch, dtype)
    if dtype is torch.bool:
        return torch.from_numpy(np.asarray(GENERATOR.random(shape) < 0.5))
    size = torch.empty(0, dtype=dtype).element_size()
    raw = np.frombuffer(GENERATOR.bytes(size * int(np.prod(shape))), np.uint8).copy()
    if not raw.size:
        return torch.empty(shape, dtype=dtype)
    return torch.from_numpy(raw).view(dtype).view(shape)


def in_numpy(tensor):
    (leaf,) = flatten("", tensor)
    return leaf.digest


@pytest.fixture(params=["compiled", "NumPy", "device"])
def digests(request, monkeypatch):
    """Digests as the host reads them, and by the operations that a device carries out."""
    monkeypatch.setattr(looking, "_ways", {})
    if request.param == "compiled" and not sums.are_compiled([]):
        pytest.skip("no C compiler was at hand when this was installed")
    if request.param == "NumPy":
        monkeypatch.setattr(sums, "_is_right", lambda: False)
    if request.param == "device":
        monkeypatch.setattr(looking, "reads_through_numpy", lambda: False)
    return lambda *tensors: known(looking.look(list(tensors)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape_has_the_digest_of_its_array(dtype, shape, digests):
    tensor = random(dtype, *shape)
    assert digests(tensor) == [in_numpy(tensor)]


@pytest.mark.parametrize(
    "length", [2047, 2048, 2049, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 70 * BLOCK + 5]
)
def test_every_length_is_folded_as_in_numpy(length, digests):
    tensor = random("float32", length)
    assert digests(tensor) == [digest_array(tensor.numpy())]


@pytest.mark.parametrize("offset", [0, 300])
def test_memory_that_was_given_back_is_not_read(offset, monkeypatch):
    monkeypatch.setattr(looking, "_ways", {})
    if not sums.are_compiled([]):
        pytest.skip("no C compiler was at hand when this was installed")
    tensor = torch.zeros(1000)[offset:]
    tensor.untyped_storage().resize_(0)
    with pytest.raises(TypeError, match="no memory"):
        looking.look([tensor, torch.zeros(0)])


def test_a_tensor_that_never_had_memory_is_not_read(monkeypatch):
    monkeypatch.setattr(looking, "_ways", {})
    with pytest.raises((TypeError, RuntimeError)):
        looking.look([torch._efficientzerotensor((3, 4))])


@pytest.mark.slow
def test_a_tensor_that_is_folded_twice_has_the_same_digest(digests):
    tensor = random("int8", BLOCK * BLOCK // 2 + 17)
    assert digests(tensor) == [digest_array(tensor.numpy())]


def test_tensors_of_many_kinds_are_told_apart_in_one_go(digests):
    tensors = [random(dtype, *shape) for dtype in DTYPES for shape in SHAPES]
    tensors += [random("float32", 3 * BLOCK + 1), random("bfloat16", BLOCK), random("int64", 5000)]
    assert digests(*tensors) == list(map(in_numpy, tensors))


def test_the_layout_in_memory_is_no_part_of_the_digest(digests):
    tensor = random("float32", 4, 6, 5, 8)
    there = [tensor.contiguous(memory_format=torch.channels_last), tensor.permute(3, 0, 1, 2)]
    assert digests(*there) == [in_numpy(tensor), in_numpy(there[1].contiguous())]


def test_numbers_that_are_conjugated_or_negated_only_when_read_are_read(digests):
    tensor = random("complex64", 5)
    assert digests(tensor.conj()) == [in_numpy(tensor.conj().resolve_conj())]
    assert digests(tensor.conj().imag) == [in_numpy(tensor.conj().imag.resolve_neg())]


def test_a_swap_a_sign_and_a_zero_of_the_other_sign_are_seen(digests):
    tensor = torch.tensor([0.0, 1.0, 2.0])
    others = torch.tensor([[1.0, 0.0, 2.0], [0.0, -1.0, 2.0], [-0.0, 1.0, 2.0]])
    assert len({*digests(tensor, *others)}) == 4


def test_a_tensor_that_is_not_there_keeps_its_place(digests):
    tensor = random("float32", 3)
    assert digests(None, tensor, None) == [looking.NOTHING, in_numpy(tensor), looking.NOTHING]


# Making one warns that its invariants are not checked, which is about PyTorch alone.
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_a_sparse_tensor_is_seen_by_its_indices_values_and_shape(digests):
    def sparse(indices, values, size=4):
        return torch.sparse_coo_tensor([indices], values, (size,))

    tensors = [
        sparse([0, 2], [1.0, 2.0]),
        sparse([0, 3], [1.0, 2.0]),
        sparse([0, 2], [1.0, 3.0]),
        sparse([0, 2], [1.0, 2.0], 5),
    ]
    assert len({*digests(*tensors)}) == 4
    assert digests(tensors[0]) == digests(sparse([0, 2], [1.0, 2.0]))


def test_a_subclass_with_memory_of_its_own_is_read_as_the_tensor_that_it_is(digests):
    class Image(torch.Tensor):
        pass

    tensor = random("float32", 3, 4)
    assert digests(tensor.as_subclass(Image)) == [in_numpy(tensor)]


def test_a_tensor_without_a_value_has_no_digest(digests):
    from seedproof.frameworks.torch.undisturbed import NoValueError

    with pytest.raises(NoValueError):
        digests(torch.empty(3, device="meta"))


def test_a_number_stands_as_the_bits_of_a_double():
    (word,) = looking.look_at_number(torch.tensor(0.1))
    assert np.uint64(word).view(np.float64) == np.float64(np.float32(0.1))


def test_what_is_digested_stays_as_it_is(digests):
    param = torch.nn.Parameter(random("float32", 40, 80))
    bits, version, drawn = param.detach().clone(), param._version, torch.get_rng_state()
    with torch.no_grad():
        digests(param, param.T)
    assert torch.equal(param.detach().view(torch.int32), bits.view(torch.int32))
    assert param._version == version
    assert torch.equal(torch.get_rng_state(), drawn)


def test_digests_are_computed_where_all_must_be_deterministic(digests):
    tensor = random("float32", 3 * BLOCK + 7)
    torch.use_deterministic_algorithms(True)
    try:
        assert digests(tensor, tensor[:5]) == [in_numpy(tensor), in_numpy(tensor[:5])]
    finally:
        torch.use_deterministic_algorithms(False)
