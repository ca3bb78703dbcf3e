"""The random keys by which a digest multiplies words, one per position."""

from __future__ import annotations

from typing import Any

BLOCK = 1 << 15  # words: so many keys there are

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def splitmix64(index: int) -> int:
    """Number `index` of the SplitMix64 sequence (Steele, Lea and Flood, 2014), unsigned."""
    word = (index + 1) * _GOLDEN & _MASK
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _MASK
    return word ^ word >> 31


def signed(word: int) -> int:
    """The same 64 bits as a two's complement number, as int64 arithmetic wants them."""
    return word - (1 << 64) if word >> 63 else word


_key_cache: list[Any] = []


def keys(count: int) -> Any:
    """The first `count` position keys as a NumPy int64 vector; `count` is at most `BLOCK`."""
    if not _key_cache:
        _key_cache.append(_make_keys())
    return _key_cache[0][:count]


def _make_keys() -> Any:
    import numpy as np

    word = np.arange(1, BLOCK + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    word = (word ^ word >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ word >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    made = (word ^ word >> np.uint64(31)).view(np.int64)
    made.flags.writeable = False
    return made
