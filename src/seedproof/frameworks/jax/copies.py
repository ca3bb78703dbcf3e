"""Digests of JAX's arrays on a CPU that are found while the script goes on; see `digest`.

Reading an array waits for the call that makes it, and a call that follows may use the array up. So
a program of our own copies the bits of all arrays of a call into one vector per width of word: it
runs after what made them and before what uses them up, and whoever asks for a digest reads it.
"""

from __future__ import annotations

from math import prod
from typing import Any, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from seedproof.frameworks.jax import digest as jax_digest
from seedproof.frameworks.jax.device_digest import Late, bits_of, by_device, in_our_own_program

USES = 50  # of one set of shapes: until then, reading costs less than compiling the program
MOST_BYTES = 1 << 24  # of a copy: what takes longer to digest hardly waits for its digest's sake
_MOST_SIGNATURES = 256

_uses: dict[Any, int] = {}


def are_worth_it(arrays: Sequence[Any], dtypes: Sequence[str]) -> bool:
    """Whether arrays come so often, and are so small, that copies of them cost less."""
    signature = tuple([(name, array.shape) for name, array in zip(dtypes, arrays)])
    if len(_uses) >= _MOST_SIGNATURES:
        _uses.clear()
    uses = _uses[signature] = _uses.get(signature, 0) + 1
    return uses > USES and sum(array.nbytes for array in arrays) <= MOST_BYTES


class Copies:
    """Arrays that lie on one CPU, which may yet have to compute them."""

    def __init__(self, arrays: Sequence[Any], dtypes: Sequence[str]) -> None:
        self._shapes = [(array.shape, array.dtype) for array in arrays]
        self._dtypes = dtypes
        self._vectors: Any = in_our_own_program(_program, list(arrays))
        self._words: list[int] = []

    def is_there(self) -> bool:
        """Whether asking for the words does not wait."""
        return self._vectors is None or all(vector.is_ready() for vector in self._vectors.values())

    def words(self) -> list[int]:
        """The digests, unsigned; waits for the arrays."""
        if self._vectors is not None:
            self._words = jax_digest.digests(self._views(), self._dtypes)
            self._vectors = None
        return self._words

    def _views(self) -> list[Any]:
        vectors = {width: np.asarray(vector) for width, vector in self._vectors.items()}
        ends = dict.fromkeys(vectors, 0)
        views = []
        for shape, dtype in self._shapes:
            width = min(dtype.itemsize, 4)
            start = ends[width]
            end = ends[width] = start + prod(shape) * (dtype.itemsize // width)
            views.append(vectors[width][start:end].view(dtype).reshape(shape))
        return views


def digests(arrays: Sequence[Any], dtypes: Sequence[str]) -> list[Late]:
    """The digest of each array; each lies on one device, and `dtypes` are the names of their types
    in the trace."""
    return by_device(Copies, arrays, dtypes)


def _copied(arrays: Sequence[Any]) -> dict[int, Any]:
    parts: dict[int, list[Any]] = {}
    for array in arrays:
        parts.setdefault(min(array.dtype.itemsize, 4), []).append(bits_of(array).reshape(-1))
    return {width: jnp.concatenate(found) for width, found in parts.items()}


_program = jax.jit(_copied)
