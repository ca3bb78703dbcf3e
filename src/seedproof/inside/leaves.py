"""Takes a value apart into named leaves with their digests, whatever framework it comes from."""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from typing import Any, Iterator, NamedTuple

from seedproof.trace.digest import digest_array, digest_bytes

_SCALARS = (bool, int, float, complex, str, bytes, type(None))


class Leaf(NamedTuple):
    """One array or scalar: `array` is its NumPy copy, None for what is no array."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    digest: int
    array: Any = None


def flatten(name: str, value: Any) -> list[Leaf]:
    """The leaves of `value` in a fixed order: dictionaries by key, sequences by position.

    Raises TypeError for a value with no bits to compare (a set, an arbitrary object).
    """
    return list(_leaves(name, value))


def _leaves(name: str, value: Any) -> Iterator[Leaf]:
    if isinstance(value, Mapping):
        for key in sorted(value, key=_place):
            yield from _leaves(f"{name}/{key}" if name else str(key), value[key])
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _leaves(f"{name}/{at}", item)
    elif isinstance(value, _SCALARS) and not hasattr(value, "dtype"):
        yield _scalar(name, value)
    else:
        yield _array(name, value)


def _place(key: Any) -> tuple[str, str]:
    """Where a key comes among the others, in every run alike."""
    kind: Any = type(key)
    if kind.__repr__ is object.__repr__ and kind.__str__ is object.__str__:
        raise TypeError(f"a dictionary is recorded by its keys; one of {kind.__name__} has no name")
    return str(key), kind.__name__


def _scalar(name: str, value: Any) -> Leaf:
    kind = type(value).__name__
    return Leaf(name, kind, None, digest_bytes(_bits(value), kind))


def _bits(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return struct.pack("<dd", value.real, value.imag)


def _array(name: str, value: Any) -> Leaf:
    array, dtype = _to_numpy(value)
    digest = digest_array(array, dtype)
    return Leaf(name, dtype, tuple(array.shape), digest, array)


def _to_numpy(value: Any) -> tuple[Any, str]:
    """The bits of an array or tensor as a NumPy array, and its dtype; TypeError for none."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _torch_to_numpy(torch, value)
    if not hasattr(value, "__array__"):
        raise TypeError(
            "seedproof.record takes arrays, tensors, numbers, text and lists or dictionaries of "
            f"them, not {type(value).__name__}"
        )
    import numpy as np

    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            "what a mask hides is not the same in every run: record .filled() and .mask"
        )
    try:
        array = np.asarray(value)
    except NotImplementedError:
        raise TypeError(
            f"a {type(value).__name__} has no value yet: record it outside the compiled function"
        ) from None
    return array, str(array.dtype)


def _torch_to_numpy(torch: Any, tensor: Any) -> tuple[Any, str]:
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    try:
        array = plain.numpy()
    except TypeError:  # a floating point type that NumPy does not have
        if not plain.dtype.is_floating_point or plain.layout != torch.strided:
            raise
        bits = plain.view({1: torch.int8, 2: torch.int16}[plain.element_size()])
        return bits.numpy(), str(plain.dtype).replace("torch.", "")
    return array, str(array.dtype)
