"""Digests of PyTorch tensors that lie in the memory of the host; see `seedproof.trace.digest`.

Compiled code reads them where they lie. Without it small tensors share their operations: those of
one dtype are laid end to end, multiplied by the keys of their positions at once, and summed by
tensor; a large one is read for itself.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

import torch

from seedproof.trace import compiled
from seedproof.trace.digest import header
from seedproof.trace.keys import keys
from seedproof.trace.sums import are_compiled, fold

try:
    import numpy as np
except ImportError:  # PyTorch does without it, and then nothing here is used
    np: Any = None  # type: ignore[no-redef]

SMALL = 2048  # words: beyond that, an operation of its own costs less than laying end to end
_MASK = (1 << 64) - 1

# Where memory has been given back, an address is only an offset. To ask for the storage itself is
# no way: several threads at it can bring PyTorch down.
_LOWEST = 1 << 20

Digests = Callable[[Sequence[Any]], "list[int]"]


def host_digests(dtypes: Sequence[Any], shapes: Sequence[Any]) -> Digests:
    """What digests tensors of these dtypes and shapes, unsigned: dense ones, strided, in whatever
    order in memory."""
    headers = [header(name_of(dtype), shape) for dtype, shape in zip(dtypes, shapes)]
    counts = list(map(word_count, dtypes, shapes))
    if are_compiled(counts):
        widths = [min(bytes_of(dtype), 4) for dtype in dtypes]
        return _Compiled(compiled.Digests(headers, counts, widths))
    return _ByNumpy(headers, counts, dtypes)


class _Compiled:
    def __init__(self, digests: compiled.Digests) -> None:
        self._digests = digests

    def __call__(self, tensors: Sequence[Any]) -> list[int]:
        if [1 for t in tensors if not t.is_contiguous() or t.is_neg() or t.is_conj()]:
            tensors = list(map(_in_order, tensors))
        addresses = [tensor.data_ptr() for tensor in tensors]
        if min(addresses, default=_LOWEST) < _LOWEST and any(map(_has_no_memory, tensors)):
            raise TypeError("a tensor that has no memory cannot be read")
        return self._digests(addresses)


def _has_no_memory(tensor: Any) -> bool:
    return bool(tensor.numel() and tensor.data_ptr() < _LOWEST)


class _ByNumpy:
    def __init__(
        self, headers: Sequence[int], counts: Sequence[int], dtypes: Sequence[Any]
    ) -> None:
        self._headers = headers
        self._alone = [(at, word_of(dtypes[at])) for at, n in enumerate(counts) if n > SMALL]
        self._together = []
        for kind in dict.fromkeys(dtypes):
            small = [at for at, n in enumerate(counts) if 0 < n <= SMALL and dtypes[at] is kind]
            if small:
                self._together.append(_together(small, [counts[at] for at in small], kind))

    def __call__(self, tensors: Sequence[Any]) -> list[int]:
        found = list(self._headers)
        for group in self._together:
            for at, body in zip(group.places, _bodies(group, tensors)):
                found[at] += body
        for at, word in self._alone:
            found[at] += fold(as_words(tensors[at], word).numpy())
        return [word & _MASK for word in found]


class _Together(NamedTuple):
    """Small tensors of one dtype: their places, and the keys and the starts end to end."""

    places: Sequence[int]
    word: Any
    keys: Any
    starts: Any


def _together(places: Sequence[int], counts: Sequence[int], dtype: Any) -> _Together:
    starts = np.cumsum([0, *counts[:-1]])
    return _Together(places, word_of(dtype), np.concatenate([keys(n) for n in counts]), starts)


def _bodies(group: _Together, tensors: Sequence[Any]) -> list[int]:
    flat = _flatten([tensors[at] for at in group.places])
    products = np.multiply(as_words(flat, group.word).numpy(), group.keys)
    sums: list[int] = np.add.reduceat(products, group.starts).tolist()
    return sums


_flatten = torch._C._nn.flatten_dense_tensors


def as_words(tensor: Any, word: Any) -> Any:
    """The bits of a dense tensor in the order of its elements, as a vector of signed words."""
    return _in_order(tensor).reshape(-1).view(word)


def _in_order(tensor: Any) -> Any:
    """With its elements as they are, one after the other in memory."""
    return tensor.detach().resolve_conj().resolve_neg().contiguous()


def word_of(dtype: Any) -> Any:
    """The integers as which elements of `dtype` are read: of 32 bits, or as narrow as they are."""
    return _NARROW.get(bytes_of(dtype), torch.int32)


def word_count(dtype: Any, shape: Sequence[int]) -> int:
    """How many words a tensor has."""
    count = max(1, bytes_of(dtype) // 4)
    for length in shape:
        count *= length
    return count


def name_of(dtype: Any) -> str:
    """As it stands in a trace: `float32`, `bfloat16` …"""
    return str(dtype).partition(".")[2]


_NARROW = {1: torch.int8, 2: torch.int16}


def bytes_of(dtype: Any) -> int:
    """The size of an element."""
    size: int = getattr(dtype, "itemsize", 0) or torch.empty(0, dtype=dtype).element_size()
    return size
