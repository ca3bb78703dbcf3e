"""The arithmetic of a digest in compiled code: `ml64.c`, where a compiler was at hand when this was
installed. NumPy's is the same, but after a training step nothing of it is in the processor's
caches, and then it takes several times as long.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any, Sequence

from seedproof.trace.keys import BLOCK, keys

LIBRARY = "ml64.dll" if sys.platform == "win32" else "ml64.so"
MOST_WORDS = BLOCK * BLOCK // 2  # of an array
_FUNCTION = "ml64_1_digests"  # it bears the digest's id, so that a library of another is not used


@lru_cache(maxsize=None)
def function() -> Any:
    """The function of the library, None where this interpreter cannot use it."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), LIBRARY)
    try:
        import ctypes

        found = getattr(ctypes.CDLL(path), _FUNCTION)
    except (ImportError, OSError, AttributeError):
        return None
    found.argtypes = [ctypes.c_int64, *[ctypes.c_void_p] * 6]
    found.restype = None
    return found if sys.byteorder == "little" else None


class Digests:
    """The digests of arrays, from their headers, the number of words of each, at most `MOST_WORDS`,
    and the bytes of a word: 1, 2 or 4."""

    def __init__(
        self, headers: Sequence[int], counts: Sequence[int], widths: Sequence[int]
    ) -> None:
        import ctypes

        self._function = function()
        self._count = len(headers)
        self._words = ctypes.c_uint64 * self._count
        self._counts = (ctypes.c_int64 * self._count)(*counts)
        self._widths = (ctypes.c_int8 * self._count)(*widths)
        self._headers = self._words(*headers)
        self._keys = keys(BLOCK).ctypes.data

    def __call__(self, addresses: Sequence[int]) -> list[int]:
        """The digests, unsigned; at the addresses the words of each array lie end to end."""
        arrays, digests = self._words(*addresses), self._words()
        self._function(
            self._count, arrays, self._counts, self._widths, self._headers, self._keys, digests
        )
        found: list[int] = digests[:]
        return found


def address(array: Any) -> int:
    """Where the words of a NumPy array begin."""
    found: int = array.__array_interface__["data"][0]
    return found
