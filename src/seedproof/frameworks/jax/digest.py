"""Digests of NumPy arrays, many at once; see `seedproof.trace.digest`.

Small arrays of one type share their operations: their words are laid end to end, multiplied by the
keys of their positions, and summed by array. A call of NumPy costs more than a thousand words.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, Sequence, Tuple

import numpy as np

from seedproof.trace.digest import digest_array, fold, header, keys

SMALL = 2048  # words: beyond that, laying end to end costs more than a call of its own
_WORDS = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<i4", 16: "<i4"}  # by the bytes of an element
_MASK = (1 << 64) - 1
MOST_LAYOUTS = 256

Signature = Tuple[Tuple[str, Tuple[int, ...], Any], ...]
"""Of each array the name of its type in the trace, its shape and its NumPy type."""


def signature_of(arrays: Sequence[Any], dtypes: Sequence[str]) -> Signature:
    """All that the way depends on in which arrays are digested."""
    return tuple([(name, a.shape, a.dtype) for name, a in zip(dtypes, arrays)])


def digests(arrays: Sequence[Any], dtypes: Sequence[str]) -> list[int]:
    """The digest of each array, unsigned; `dtypes` are the names of their types in the trace."""
    layout = _layout(signature_of(arrays, dtypes))
    found = list(layout.headers)
    for group in layout.together:
        for at, body in zip(group.places, _bodies(group, arrays)):
            found[at] = (found[at] + body) & _MASK
    for at, word in layout.alone:
        words = np.ascontiguousarray(arrays[at]).reshape(-1).view(word)
        found[at] = (found[at] + fold(words)) & _MASK
    for at in layout.odd:
        found[at] = digest_array(arrays[at], dtypes[at])
    return found


class _Together(NamedTuple):
    """Small arrays of one type: their places, the word that they are read as, the keys of their
    words end to end, and where each array starts."""

    places: Sequence[int]
    word: str
    keys: Any
    starts: Any


class _Layout(NamedTuple):
    """`alone` are large arrays, by place and word, and `odd` those of types that JAX lacks."""

    headers: Sequence[int]
    together: Sequence[_Together]
    alone: Sequence[tuple[int, str]]
    odd: Sequence[int]


@lru_cache(maxsize=MOST_LAYOUTS)
def _layout(signature: Signature) -> _Layout:
    small: dict[Any, list[tuple[int, int]]] = {}
    alone, odd = [], []
    for at, (_, shape, dtype) in enumerate(signature):
        word = _word_of(dtype)
        count = prod(shape) * max(1, dtype.itemsize // 4)
        if not word:
            odd.append(at)
        elif count > SMALL:
            alone.append((at, word))
        elif count:
            small.setdefault(dtype, []).append((at, count))
    together = [_together(_word_of(dtype), found) for dtype, found in small.items()]
    headers = [header(name, shape) for name, shape, _ in signature]
    return _Layout(headers, together, alone, odd)


def _word_of(dtype: Any) -> str:
    usual = dtype.isnative and not dtype.hasobject and dtype.fields is None
    return _WORDS.get(dtype.itemsize, "") if usual else ""


def _together(word: str, found: Sequence[tuple[int, int]]) -> _Together:
    counts = [count for _, count in found]
    starts = np.cumsum([0, *counts[:-1]])
    of_all = np.concatenate([keys(count) for count in counts])
    return _Together([at for at, _ in found], word, of_all, starts)


def _bodies(group: _Together, arrays: Sequence[Any]) -> Any:
    flat = np.concatenate([arrays[at].reshape(-1) for at in group.places])
    return np.add.reduceat(np.multiply(flat.view(group.word), group.keys), group.starts).tolist()
