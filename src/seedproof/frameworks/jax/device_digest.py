"""Digests of JAX's arrays where they lie, by a program of our own; see `seedproof.trace.digest`.

It runs after what made the arrays and before what uses them up, on the same device, and only the
digests leave it. It is compiled apart from the script's own programs, so it changes none of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable, Sequence, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from seedproof.frameworks.jax.values import all_on_cpu
from seedproof.trace.digest import header
from seedproof.trace.keys import BLOCK

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
T = TypeVar("T")
_enable_x64 = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64


class Found:
    """The digests of several arrays: those of `computed` arrays, which a device may yet have to
    compute, and which are read once."""

    def __init__(self, headers: Sequence[int], computed: Sequence[Any]) -> None:
        self.count = len(headers)
        self._headers = headers
        self._computed = computed
        self._words: list[int] | None = None
        self._has_come = False

    def is_there(self) -> bool:
        """Whether asking for the words does not wait."""
        self._has_come = self._has_come or all(array.is_ready() for array in self._computed)
        return self._has_come

    def words(self) -> list[int]:
        """The digests, unsigned; waits for the device."""
        if self._words is None:
            sums = self.sums([np.asarray(array) for array in self._computed])
            self._words = [word + more & _MASK for word, more in zip(sums, self._headers)]
            self._computed, self._has_come = (), True
        return self._words

    def sums(self, computed: Sequence[Any]) -> Sequence[int]:
        """What the words of each array add to its header, from what was computed."""
        raise NotImplementedError


class Batch(Found):
    """Digests that the device of the arrays computes."""

    def __init__(self, arrays: Sequence[Any], dtypes: Sequence[str]) -> None:
        headers = [header(name, array.shape) for name, array in zip(dtypes, arrays)]
        super().__init__(headers, [device_sums(arrays)])

    def sums(self, computed: Sequence[Any]) -> Sequence[int]:
        """The device has summed up already."""
        found: list[int] = computed[0].tolist()
        return found


class Late:
    """One digest of several."""

    def __init__(self, batch: Found, place: int) -> None:
        self._batch = batch
        self._place = place

    def is_there(self) -> bool:
        """Whether asking for it does not wait."""
        return self._batch.is_there()

    def __int__(self) -> int:
        return self._batch.words()[self._place]


def digests(arrays: Sequence[Any], dtypes: Sequence[str]) -> list[Late]:
    """The digest of each array; each lies on one device, and `dtypes` are the names of their types
    in the trace."""
    return by_device(arrays, dtypes, Batch)


def by_device(
    arrays: Sequence[Any],
    kinds: Sequence[T],
    found_by: Callable[[Sequence[Any], Sequence[T]], Found],
) -> list[Late]:
    """The digests that `found_by` finds for the arrays of one device, each with its kind, for
    those of any."""
    if _is_alone():
        return _each(found_by(arrays, kinds))
    found: dict[int, Late] = {}
    places_of: dict[Any, list[int]] = {}
    for at, array in enumerate(arrays):
        places_of.setdefault(next(iter(array.devices())), []).append(at)
    for places in places_of.values():
        batch = found_by([arrays[at] for at in places], [kinds[at] for at in places])
        found.update(zip(places, _each(batch)))
    return [found[at] for at in range(len(arrays))]


@lru_cache(maxsize=None)
def _is_alone() -> bool:
    """Whether there is one device, so that no array needs to be asked where it lies."""
    return all_on_cpu() and len(jax.local_devices()) == 1


def _each(batch: Found) -> list[Late]:
    return [Late(batch, number) for number in range(batch.count)]


def device_sums(arrays: Sequence[Any]) -> Any:
    """The sums over all words of arrays that lie on one device, as an int64 vector there."""
    return in_our_own_program(_program, list(arrays))


def in_our_own_program(program: Any, arrays: Sequence[Any]) -> Any:
    """What a compiled program of ours makes of arrays, whatever the script has set for its own."""
    with jax.ensure_compile_time_eval(), jax.transfer_guard("allow"), _enable_x64(True):
        return program(arrays)


def _sums(arrays: Sequence[Any]) -> Any:
    return jnp.stack([_fold(_words(array)) for array in arrays])


_program = jax.jit(_sums)


def _words(array: Any) -> Any:
    """The bits of an array as a vector of 64-bit numbers, one for each of its words."""
    return bits_of(array).reshape(-1).astype(jnp.int64)


def bits_of(array: Any) -> Any:
    """The words of an array, as integers of 8, 16 or 32 bits."""
    dtype = array.dtype
    if jnp.issubdtype(dtype, jnp.complexfloating):
        array = jnp.stack([array.real, array.imag], -1)
    elif dtype == jnp.bool_:
        array = array.astype(jnp.uint8)
    elif dtype.name in _NARROW:
        array = _as_bytes(array)
    word = {1: jnp.int8, 2: jnp.int16}.get(array.dtype.itemsize, jnp.int32)
    return jax.lax.bitcast_convert_type(array, word)


_NARROW = ("int2", "uint2", "int4", "uint4", "float4_e2m1fn")


def _as_bytes(array: Any) -> Any:
    """Elements of less than a byte, each in one of its own, as NumPy has them."""
    if array.dtype.name == "float4_e2m1fn":
        array = jax.lax.bitcast_convert_type(array, jnp.uint4)
    return array.astype(jnp.uint8 if array.dtype.name.startswith("u") else jnp.int8)


def _fold(words: Any) -> Any:
    while words.size > BLOCK:
        blocks = jnp.pad(words, (0, -words.size % BLOCK)).reshape(-1, BLOCK)
        sums = (blocks * _keys(BLOCK)[None]).sum(1)
        words = jax.lax.bitcast_convert_type(sums, jnp.int32).reshape(-1).astype(jnp.int64)
    return (words * _keys(words.size)).sum()


def _keys(count: int) -> Any:
    """The first position keys, computed anew: that is less work than reading them."""
    word = jax.lax.iota(jnp.uint64, count) + jnp.uint64(1)
    word = word * jnp.uint64(_GOLDEN)
    word = (word ^ word >> jnp.uint64(30)) * jnp.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ word >> jnp.uint64(27)) * jnp.uint64(0x94D049BB133111EB)
    return jax.lax.bitcast_convert_type(word ^ word >> jnp.uint64(31), jnp.int64)
