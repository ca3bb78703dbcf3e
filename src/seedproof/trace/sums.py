"""What the words of an array add to its digest: by compiled code if it is there, or by NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Sequence

from seedproof.trace import compiled
from seedproof.trace.keys import BLOCK, keys

_COPIED_WORDS = 1500  # up to that, numpy.dot of a copy is faster than numpy.einsum without one


def are_compiled(counts: Sequence[int]) -> bool:
    """Whether compiled code is there for arrays of so many words."""
    return _is_right() and max(counts, default=0) <= compiled.MOST_WORDS


@lru_cache(maxsize=None)
def _is_right() -> bool:
    """A digest must not depend on who computes it, so what was compiled has to show it once."""
    if compiled.function() is None:
        return False
    words = keys(BLOCK).view("<i4")
    return _compiled(words) == _by_numpy(words) % (1 << 64)


def fold(words: Any) -> int:
    """What the words of an array, a vector of signed integers, add to its header, modulo 2**64."""
    if are_compiled([len(words)]) and words.flags.c_contiguous:
        return _compiled(words)
    return _by_numpy(words)


def _compiled(words: Any) -> int:
    digests = compiled.Digests([0], [len(words)], [words.itemsize])
    return digests([compiled.address(words)])[0]


def _by_numpy(words: Any) -> int:
    import numpy as np

    while len(words) > BLOCK:
        blocks, rest = divmod(len(words), BLOCK)
        sums = np.empty(blocks + (rest > 0), "<i8")
        whole = words[: blocks * BLOCK].reshape(blocks, BLOCK)
        np.einsum("ij,j->i", whole, keys(BLOCK), out=sums[:blocks])
        if rest:
            sums[blocks] = _dot(words[blocks * BLOCK :])
        words = sums.view("<i4")
    return int(_dot(words))


def _dot(words: Any) -> Any:
    import numpy as np

    if len(words) <= _COPIED_WORDS:
        return np.dot(words.astype(np.int64), keys(len(words)))
    return np.einsum("i,i->", words, keys(len(words)))
