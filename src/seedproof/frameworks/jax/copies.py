"""Digests of JAX's arrays on a CPU that are found while the script goes on; see `digest`.

Reading an array waits for the call that makes it, and a call that follows may use the array up. So
a program of our own copies the bits of all arrays of a call into one vector per width of word: it
runs after what made them and before what uses them up, and whoever asks for a digest reads it.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from seedproof.frameworks.jax.device_digest import Found, Late, bits_of, by_device
from seedproof.frameworks.jax.digest import MOST_LAYOUTS, SMALL, Kind, Signature
from seedproof.trace.compiled import Digests, address
from seedproof.trace.digest import header
from seedproof.trace.keys import keys
from seedproof.trace.sums import are_compiled, fold

USES = 50  # of one set of shapes: until then, reading costs less than compiling the program
MOST_BYTES = 1 << 24  # of a copy: what takes longer to digest hardly waits for its digest's sake
_MOST_SIGNATURES = 256

_uses: dict[Any, int] = {}


def are_worth_it(signature: Signature) -> bool:
    """Whether such arrays come so often, and are so small, that copies of them cost less."""
    if len(_uses) >= _MOST_SIGNATURES:
        _uses.clear()
    uses = _uses[signature] = _uses.get(signature, 0) + 1
    return uses > USES and layout_of(signature).bytes <= MOST_BYTES


class Copies(Found):
    """Copies of arrays that lie on one CPU."""

    def __init__(self, arrays: Sequence[Any], kinds: Sequence[Kind]) -> None:
        layout = layout_of(tuple(kinds))
        in_order = [arrays[at] for at in layout.order]
        with jax.ensure_compile_time_eval():  # it moves bits, so it needs no wider integers
            super().__init__(layout.headers, _program(in_order))
        self._layout = layout

    def sums(self, computed: Sequence[Any]) -> Sequence[int]:
        """Of each array, from the vectors in which its words lie."""
        if self._layout.compiled is not None:
            starts = list(map(address, computed))
            return self._layout.compiled([starts[at] + more for at, more in self._layout.places])
        found = [0] * len(self._headers)
        for vector, part in zip(computed, self._layout.parts):
            if part.small:
                products = np.multiply(vector[: len(part.keys)], part.keys)
                for at, word in zip(part.small, np.add.reduceat(products, part.starts).tolist()):
                    found[at] = word
            for at, start, end in part.large:
                found[at] = fold(vector[start:end])
        return found


class Part(NamedTuple):
    """One vector: the places of the small arrays that lie first in it, with their starts and the
    keys of all their words, and the place, start and end of each large one."""

    small: Sequence[int]
    starts: Any
    keys: Any
    large: Sequence[tuple[int, int, int]]


class Layout:
    """How arrays of these dtypes and shapes lie end to end: by the width of their words, the small
    ones first, so that one operation digests them all."""

    def __init__(self, signature: Signature) -> None:
        self.headers = [header(name, shape) for name, shape, _ in signature]
        widths = [_width(dtype) for _, _, dtype in signature]
        sizes = [prod(shape) * max(1, dtype.itemsize // 4) for _, shape, dtype in signature]
        self.order = sorted(
            range(len(signature)), key=lambda at: (widths[at], sizes[at] > SMALL, at)
        )
        self.parts = [
            _part([at for at in self.order if widths[at] == width], sizes)
            for width in sorted(set(widths))
        ]
        self.bytes = sum(size * width for size, width in zip(sizes, widths))
        self.places = _places(self.order, widths, sizes)
        self.compiled = Digests([0] * len(sizes), sizes, widths) if are_compiled(sizes) else None


def _places(
    order: Sequence[int], widths: Sequence[int], sizes: Sequence[int]
) -> list[tuple[int, int]]:
    """The vector of each array, and after how many of its bytes the array begins there."""
    vectors = sorted(set(widths))
    ends = [0] * len(vectors)
    found = [(0, 0)] * len(order)
    for at in order:
        vector = vectors.index(widths[at])
        found[at] = vector, ends[vector]
        ends[vector] += sizes[at] * widths[at]
    return found


def _part(places: Sequence[int], sizes: Sequence[int]) -> Part:
    ends = np.cumsum([sizes[at] for at in places]).tolist()
    small = [(at, end) for at, end in zip(places, ends) if 0 < sizes[at] <= SMALL]
    large = [(at, end - sizes[at], end) for at, end in zip(places, ends) if sizes[at] > SMALL]
    of_small = [keys(sizes[at]) for at, _ in small]
    return Part(
        [at for at, _ in small],
        [end - sizes[at] for at, end in small],
        np.concatenate(of_small) if of_small else (),
        large,
    )


def _width(dtype: Any) -> int:
    """How many bytes the words have as which such elements are read."""
    width: int = min(dtype.itemsize, 4)
    return width


layout_of = lru_cache(maxsize=MOST_LAYOUTS)(Layout)


def digests(arrays: Sequence[Any], signature: Signature) -> list[Late]:
    """The digest of each array; each lies on one device."""
    return by_device(arrays, signature, Copies)


def _copied(arrays: Sequence[Any]) -> list[Any]:
    parts: dict[int, list[Any]] = {}
    for array in arrays:
        parts.setdefault(_width(array.dtype), []).append(bits_of(array).reshape(-1))
    return [jnp.concatenate(found) for found in parts.values()]


_program = jax.jit(_copied)
