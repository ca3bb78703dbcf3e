"""The digest of any tensor, whatever its layout, subclass and device.

On the CPU it is there at once. On another device it is computed there and travels to the host
while the training goes on: what was `found` is then waited for, or asked whether it has come.
"""

from __future__ import annotations

import functools
import struct
from operator import attrgetter
from typing import Any, Callable, Iterator, Sequence

import torch

from seedproof.frameworks.torch.device_digest import device_digests
from seedproof.frameworks.torch.digest import host_digests
from seedproof.frameworks.torch.found import Found, Words
from seedproof.frameworks.torch.undisturbed import NoValueError
from seedproof.trace.digest import digest_bytes

_NONE = "NoneType"
NOTHING = digest_bytes(b"", _NONE)  # in the place of a tensor that is not there

_MASK = (1 << 64) - 1
_MOST_WAYS = 512
_DOUBLE = struct.Struct("<d")
_DOUBLE_BITS = struct.Struct("<Q")
_PLAIN = {torch.Tensor, torch.nn.Parameter}
_PARTS = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def look(tensors: Sequence[Any]) -> Words:
    """The digests of tensors; None counts as a tensor with no bits.

    Raises NoValueError where there is a tensor with no value, TypeError for one that cannot be
    read.
    """
    if not _PLAIN.issuperset(map(type, tensors)):
        return _look_through(tensors)
    kind = tuple(map(_describe, tensors))
    way = _ways.get(kind)
    if way is None:
        if len(_ways) >= _MOST_WAYS:
            _ways.clear()
        way = _ways[kind] = _way(kind)
    return way(tensors)


_describe = attrgetter("dtype", "shape", "layout", "is_cpu")
_ways: dict[Any, Callable[[Sequence[Any]], Words]] = {}


def _way(kind: Sequence[Any]) -> Callable[[Sequence[Any]], Words]:
    """How tensors of this kind are looked at."""
    if any(layout is not torch.strided for _, _, layout, _ in kind):
        return _look_at_parts
    if not reads_through_numpy() or not all(is_near for *_, is_near in kind):
        return _OnDevices
    return host_digests([dtype for dtype, *_ in kind], [shape for _, shape, *_ in kind])


@functools.lru_cache(maxsize=None)
def reads_through_numpy() -> bool:
    """Whether NumPy is there, in a version that this PyTorch can hand its tensors to."""
    try:
        torch.zeros(0).numpy()
    except (RuntimeError, ImportError):
        return False
    return True


def _look_through(tensors: Sequence[Any]) -> Words:
    """Where some are not there, or are subclasses."""
    there = [tensor for tensor in tensors if tensor is not None]
    if len(there) == len(tensors):
        return _look_at_parts(tensors)
    is_there = [tensor is not None for tensor in tensors]
    return _after(look(there), lambda words: _spread(words, is_there))


def _spread(words: list[int], is_there: Sequence[bool]) -> list[int]:
    found = iter(words)
    return [next(found) if there else NOTHING for there in is_there]


def _look_at_parts(tensors: Sequence[Any]) -> Words:
    """Where some have several parts: the words of these are digested once more."""
    parts = [list(dense_parts(tensor)) for tensor in tensors]
    kinds = [f"{tensor.layout} {tuple(tensor.shape)}" for tensor in tensors]
    counts = [len(of) for of in parts]
    found = look([part for of in parts for part in of])
    return _after(found, lambda words: _joined(words, counts, kinds))


def _joined(words: list[int], counts: Sequence[int], kinds: Sequence[str]) -> list[int]:
    found = iter(words)
    groups = [[next(found) for _ in range(count)] for count in counts]
    return [of[0] if len(of) == 1 else _join(of, kind) for of, kind in zip(groups, kinds)]


def _join(words: list[int], kind: str) -> int:
    return digest_bytes(struct.pack(f"<{len(words)}Q", *words) + kind.encode(), "parts")


def dense_parts(tensor: Any) -> Iterator[Any]:
    """The plain tensors of which a tensor consists; they share its memory."""
    if type(tensor) not in _PLAIN:
        yield from _parts_of_subclass(tensor)
    elif tensor.layout is torch.strided:
        yield tensor
    elif tensor.layout in _PARTS:
        for name in _PARTS[tensor.layout]:
            yield getattr(tensor, name)()
    else:
        raise TypeError(f"a tensor of layout {tensor.layout} cannot be read")


def _parts_of_subclass(tensor: Any) -> Iterator[Any]:
    """A subclass that holds other tensors is read through these (a `DTensor`: what is here)."""
    kind = type(tensor)
    if hasattr(kind, "__tensor_flatten__"):
        names, _ = tensor.__tensor_flatten__()
        for part in [getattr(tensor, name) for name in names]:
            if isinstance(part, torch.Tensor):
                yield from dense_parts(part)
    elif kind.__torch_dispatch__ is torch._C._disabled_torch_dispatch_impl:
        yield from dense_parts(tensor.as_subclass(torch.Tensor))
    elif kind.__name__ in ("FakeTensor", "FunctionalTensor", "ProxyTensor"):
        raise NoValueError
    else:
        raise TypeError(f"a {kind.__module__}.{kind.__qualname__} cannot be read")


def _after(words: Words, then: Callable[[list[int]], list[int]]) -> Words:
    return _Then(words, then) if isinstance(words, Found) else then(words)


class _Then(Found):
    """What is made of words once they have come."""

    def __init__(self, found: Found, then: Callable[[list[int]], list[int]]) -> None:
        self._found = found
        self._then = then

    def is_there(self) -> bool:
        return self._found.is_there()

    def words(self) -> list[int]:
        return self._then(self._found.words())


class _OnDevices(Found):
    """The digests of dense tensors, each computed where it lies."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        self._count = len(tensors)
        places: dict[Any, list[int]] = {}
        for at, tensor in enumerate(tensors):
            places.setdefault(tensor.device, []).append(at)
        if torch.device("meta") in places:
            raise NoValueError
        groups = [[tensors[at] for at in of] for of in places.values()]
        sent = [_Sent(device_digests(group)) for group in groups]
        self._parts = list(zip(sent, places.values()))

    def is_there(self) -> bool:
        return all(part.is_there() for part, _ in self._parts)

    def words(self) -> list[int]:
        found = [0] * self._count
        for part, places in self._parts:
            for at, word in zip(places, part.words()):
                found[at] = word
        return found


class _Sent(Found):
    """A vector of words that a device has computed."""

    def __init__(self, computed: Any) -> None:
        self._words = computed.to("cpu", non_blocking=computed.is_cuda)
        self._sent: Any = None
        if computed.is_cuda:
            self._sent = torch.cuda.Event()
            self._sent.record(torch.cuda.current_stream(computed.device))

    def is_there(self) -> bool:
        return self._sent is None or bool(self._sent.query())

    def words(self) -> list[int]:
        if self._sent is not None:
            self._sent.synchronize()
        return [word & _MASK for word in self._words.tolist()]


def look_at_number(tensor: Any) -> Words:
    """The one number that a tensor holds, as the bits of a double."""
    if tensor.is_cuda:
        return _Sent(tensor.double().view(1).view(torch.int64))
    return list(_DOUBLE_BITS.unpack(_DOUBLE.pack(tensor.item())))
