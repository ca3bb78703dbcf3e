"""What the leaves of a call are, and their bits as NumPy arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Sequence

import jax
import numpy as np

TRACER = "tracer"  # stands for a value that is not known yet
ARRAY = "array"  # of JAX, on a device
KEY = "key"  # of JAX's random generators
REF = "ref"  # of JAX, and written to in place
HOST = "host"  # of NumPy
SCALAR = "scalar"
OTHER = "other"  # no value: a function, a text

ON_DEVICE = frozenset((ARRAY, KEY))
VALUES = frozenset((ARRAY, KEY, REF, HOST, SCALAR))

_kinds: dict[type, str] = {}


def kind_of(leaf: Any) -> str:
    """What a leaf is; it depends on its type alone."""
    kind = _kinds.get(type(leaf))
    if kind is None:
        kind = _kinds[type(leaf)] = _classified(leaf)
    return kind


def kinds_of(leaves: Sequence[Any]) -> list[str]:
    """What each leaf is."""
    try:
        return list(map(_kinds.__getitem__, map(type, leaves)))
    except KeyError:
        return list(map(kind_of, leaves))


def _classified(leaf: Any) -> str:
    if isinstance(leaf, jax.core.Tracer):
        return TRACER
    if isinstance(leaf, jax.Array):
        return KEY if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key) else ARRAY
    if isinstance(leaf, (np.ndarray, np.generic)):
        return HOST
    if isinstance(leaf, (bool, int, float, complex)):
        return SCALAR
    return REF if type(leaf).__name__ in ("Ref", "MutableArray") else OTHER


def plain(leaf: Any, kind: str) -> Any:
    """An array with the bits of a leaf that is no scalar."""
    if kind == KEY:
        return _data_of(leaf)
    if kind == REF:
        with jax.ensure_compile_time_eval():
            return leaf[...]
    return leaf


def _data_of(key: Any) -> Any:
    """The public way to the bits of a key is a computation, which costs as much as a small step."""
    data = getattr(key, "_base_array", None)
    if isinstance(data, jax.Array):
        return data
    with jax.ensure_compile_time_eval():
        return jax.random.key_data(key)


def type_of(leaf: Any) -> tuple[str, tuple[int, ...] | None]:
    """Dtype and shape, as they stand in a trace."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is None:
        return type(leaf).__name__, None
    return name_of(dtype), tuple(leaf.shape)


def name_of(dtype: Any) -> str:
    """As it stands in a trace: `float32`, `bfloat16`, `key<fry>` …; NumPy makes it anew each time,
    which costs."""
    name = _names.get(dtype)
    if name is None:
        name = _names[dtype] = str(dtype)
    return name


_names: dict[Any, str] = {}


def is_floating(leaf: Any) -> bool:
    """Whether a leaf has floating point numbers, of whatever width."""
    dtype = getattr(leaf, "dtype", type(leaf))
    return bool(jax.dtypes.issubdtype(dtype, np.inexact))


@lru_cache(maxsize=None)
def all_on_cpu() -> bool:
    """Whether arrays lie on the host: to ask each one costs more than its digest."""
    return str(jax.default_backend()) == "cpu"


def is_in_one_place(array: Any) -> bool:
    """Whether an array of NumPy or JAX lies in one piece, as most do: asking must cost little."""
    sharding: Any = getattr(array, "sharding", None)
    if sharding is None or type(sharding) is _ON_ONE_DEVICE:
        return True
    return len(sharding.device_set) == 1


def is_whole_here(array: Any) -> bool:
    """Whether this process can reach all of an array, of which each process may have a part."""
    return is_in_one_place(array) or bool(array.is_fully_addressable)


_ON_ONE_DEVICE = jax.sharding.SingleDeviceSharding


def parts_here(array: Any) -> list[Any]:
    """The parts of an array that this process can reach, each once, in a fixed order."""
    shards = {str(shard.index): shard for shard in reversed(array.addressable_shards)}
    return [shard.data for shard in sorted(shards.values(), key=_place)]


def _place(shard: Any) -> tuple[int, ...]:
    return tuple(part.start or 0 for part in shard.index)


def to_host(array: Any) -> Any:
    """An array as NumPy has it, without a copy where it lies on the host in one piece."""
    if is_in_one_place(array):
        return np.asarray(array)
    shards = array.addressable_shards
    if array.is_fully_replicated:
        return np.asarray(shards[0].data)
    whole = np.empty(array.shape, array.dtype)  # np.asarray would have the array keep its copy
    for shard in shards:
        whole[shard.index] = np.asarray(shard.data)
    return whole


def is_gone(leaf: Any) -> bool:
    """Whether an array of JAX has been used up."""
    return kind_of(leaf) in ON_DEVICE and bool(leaf.is_deleted())
