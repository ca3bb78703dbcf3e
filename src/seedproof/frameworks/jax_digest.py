"""Digests of NumPy arrays, many at once; see `seedproof.trace.digest`.

Small arrays share their operations: their words are laid end to end, multiplied by the keys of
their positions, and summed by array. A call of NumPy costs more than a thousand words.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple, Sequence

import numpy as np

from seedproof.trace.digest import digest_array, fold, header, keys

SMALL = 2048  # words: beyond that, laying end to end costs more than a call of its own
_WORDS = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<i4", 16: "<i4"}  # by the bytes of an element
_MASK = (1 << 64) - 1
_MOST_LAYOUTS = 256


def digests(arrays: Sequence[Any], dtypes: Sequence[str]) -> list[int]:
    """The digest of each array, unsigned; `dtypes` are the names of their types in the trace."""
    signature = tuple([(name, a.shape, a.dtype) for name, a in zip(dtypes, arrays)])
    layout = _layouts.get(signature)
    if layout is None:
        if len(_layouts) >= _MOST_LAYOUTS:
            _layouts.clear()
        layout = _layouts[signature] = _layout(signature)
    found = list(layout.headers)
    if layout.together:
        for (at, *_), body in zip(layout.together, _bodies(layout, arrays)):
            found[at] = (found[at] + body) & _MASK
    for at, word in layout.alone:
        found[at] = (found[at] + fold(_words(arrays[at], word))) & _MASK
    for at in layout.odd:
        found[at] = digest_array(arrays[at], dtypes[at])
    return found


class _Layout(NamedTuple):
    """`together` are small arrays: each one's place, word, and where it begins and ends; `alone`
    are large ones, and `odd` those of types that JAX does not have."""

    headers: Sequence[int]
    together: Sequence[tuple[int, str, int, int]]
    keys: Any
    starts: Any
    alone: Sequence[tuple[int, str]]
    odd: Sequence[int]


_layouts: dict[Any, _Layout] = {}


def _layout(signature: Sequence[tuple[str, tuple[int, ...], Any]]) -> _Layout:
    together: list[tuple[int, str, int, int]] = []
    alone, odd, end = [], [], 0
    for at, (_, shape, dtype) in enumerate(signature):
        word = _WORDS.get(dtype.itemsize) if dtype.isnative and not dtype.hasobject else None
        count = prod(shape) * max(1, dtype.itemsize // 4)
        if word is None or dtype.fields is not None:
            odd.append(at)
        elif count > SMALL:
            alone.append((at, word))
        elif count:
            together.append((at, word, end, end + count))
            end += count
    return _Layout(
        headers=[header(name, shape) for name, shape, _ in signature],
        together=together,
        keys=np.concatenate([keys(end - start) for _, _, start, end in together] or [keys(0)]),
        starts=[start for _, _, start, _ in together],
        alone=alone,
        odd=odd,
    )


def _words(array: Any, word: str) -> Any:
    return np.ascontiguousarray(array).reshape(-1).view(word)


def _bodies(layout: _Layout, arrays: Sequence[Any]) -> Any:
    products = np.empty(len(layout.keys), np.int64)
    for at, word, start, end in layout.together:
        products[start:end] = _words(arrays[at], word)
    products *= layout.keys
    return np.add.reduceat(products, layout.starts).tolist()
