"""Takes a value apart into named leaves with their digests, whatever framework it comes from."""

from __future__ import annotations

import sys
from typing import Any, Iterator, NamedTuple

from seedproof.trace.digest import digest_array, digest_bytes


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
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _leaves(f"{name}/{key}" if name else str(key), value[key])
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _leaves(f"{name}/{at}", item)
    elif isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        yield _scalar(name, value)
    else:
        yield _array(name, to_numpy(value))


def _scalar(name: str, value: Any) -> Leaf:
    kind = type(value).__name__
    if isinstance(value, float):
        data = value.hex().encode()
    elif isinstance(value, bytes):
        data = value
    else:
        data = str(value).encode("utf-8", "surrogatepass")
    return Leaf(name, kind, None, digest_bytes(data, kind))


def _array(name: str, array: Any) -> Leaf:
    return Leaf(name, str(array.dtype), tuple(array.shape), digest_array(array), array)


def to_numpy(value: Any) -> Any:
    """The bits of an array or tensor as a NumPy array; TypeError where there are none."""
    import numpy as np

    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _torch_to_numpy(torch, value)
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__array__"):
        return np.asarray(value)
    raise TypeError(
        "seedproof.record takes arrays, tensors, numbers, text and lists or dictionaries of "
        f"them, not {type(value).__name__}"
    )


def _torch_to_numpy(torch: Any, tensor: Any) -> Any:
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if plain.dtype == torch.bfloat16:
        plain = plain.view(torch.int16)
    return plain.numpy()
