"""Digests of NumPy arrays, many at once; see `seedproof.trace.digest`.

Small arrays of one type share their operations: their words are laid end to end, multiplied by the
keys of their positions, and summed by array. A call of NumPy costs more than a thousand words.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, Sequence, Tuple

import numpy as np

from seedproof.trace.compiled import Digests, address
from seedproof.trace.digest import digest_array, header
from seedproof.trace.keys import keys
from seedproof.trace.sums import are_compiled, fold

SMALL = 2048  # words: beyond that, laying end to end costs more than a call of its own
_WORDS = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<i4", 16: "<i4"}  # by the bytes of an element
_MASK = (1 << 64) - 1
MOST_LAYOUTS = 256

Kind = Tuple[str, Tuple[int, ...], Any]
"""Of an array the name of its type in the trace, its shape and its NumPy type."""
Signature = Tuple[Kind, ...]


def signature_of(arrays: Sequence[Any], dtypes: Sequence[str]) -> Signature:
    """All that the way depends on in which arrays are digested."""
    return tuple([(name, a.shape, a.dtype) for name, a in zip(dtypes, arrays)])


def digests(arrays: Sequence[Any], dtypes: Sequence[str]) -> list[int]:
    """The digest of each array, unsigned; `dtypes` are the names of their types in the trace."""
    layout = _layout(signature_of(arrays, dtypes))
    found = list(layout.headers)
    if layout.compiled is not None:
        in_order = [np.ascontiguousarray(arrays[at]) for at in layout.usual]
        for at, word in zip(layout.usual, layout.compiled(list(map(address, in_order)))):
            found[at] = word
    else:
        _add_by_numpy(layout, arrays, found)
    for at in layout.odd:
        found[at] = digest_array(arrays[at], dtypes[at])
    return found


def _add_by_numpy(layout: _Layout, arrays: Sequence[Any], found: list[int]) -> None:
    for group in layout.together:
        for at, body in zip(group.places, _bodies(group, arrays)):
            found[at] = (found[at] + body) & _MASK
    for at, word in layout.alone:
        words = np.ascontiguousarray(arrays[at]).reshape(-1).view(word)
        found[at] = (found[at] + fold(words)) & _MASK


class _Together(NamedTuple):
    """Small arrays of one type: their places, the word that they are read as, the keys of their
    words end to end, and where each array starts."""

    places: Sequence[int]
    word: str
    keys: Any
    starts: Any


class _Layout(NamedTuple):
    """`odd` are arrays of types that JAX lacks, by place, and `usual` the others, which compiled
    code digests where there is some; else `alone` are the large ones among them, with their word.
    """

    usual: Sequence[int]
    compiled: Digests | None
    headers: Sequence[int]
    together: Sequence[_Together]
    alone: Sequence[tuple[int, str]]
    odd: Sequence[int]


@lru_cache(maxsize=MOST_LAYOUTS)
def _layout(signature: Signature) -> _Layout:
    counts = [prod(shape) * max(1, dtype.itemsize // 4) for _, shape, dtype in signature]
    words = [_word_of(dtype) for _, _, dtype in signature]
    headers = [header(name, shape) for name, shape, _ in signature]
    usual = [at for at, word in enumerate(words) if word]
    small: dict[Any, list[tuple[int, int]]] = {}
    for at in usual:
        if 0 < counts[at] <= SMALL:
            small.setdefault(signature[at][2], []).append((at, counts[at]))
    return _Layout(
        usual=usual,
        compiled=_compiled([(headers[at], counts[at], int(words[at][2:])) for at in usual]),
        headers=headers,
        together=[_together(_word_of(dtype), found) for dtype, found in small.items()],
        alone=[(at, words[at]) for at in usual if counts[at] > SMALL],
        odd=[at for at, word in enumerate(words) if not word],
    )


def _compiled(usual: Sequence[tuple[int, int, int]]) -> Digests | None:
    headers, counts, widths = zip(*usual) if usual else ((), (), ())
    return Digests(headers, counts, widths) if are_compiled(counts) else None


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
