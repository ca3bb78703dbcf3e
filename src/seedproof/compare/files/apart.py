"""How far two tensors are apart, taken in block by block."""

from __future__ import annotations

import math

from seedproof.compare.distance import max_abs_diff, max_ulp
from seedproof.compare.files.dtypes import Numbers, as_numbers


class Apart:
    """The distance of two tensors of one type; elements outside the blocks taken in are equal.

    `any` is whether anything differs, `elements` how many elements do, bit by bit. `abs_diff` and
    `ulp` are the largest distances; None where they cannot be said.
    """

    def __init__(self, dtype: str, itemsize: int) -> None:
        self.any = False
        self.elements = 0
        self.abs_diff: float | None = None
        self.ulp: int | None = None
        self._dtype = dtype
        self._itemsize = itemsize
        self._has_ulp = True

    def add(self, ours: bytes, theirs: bytes) -> None:
        """Takes in two blocks that differ."""
        self.any = True
        if len(ours) == len(theirs):
            self.elements += self._differing(ours, theirs)
            self._measure(as_numbers(self._dtype, ours), as_numbers(self._dtype, theirs))

    def _differing(self, ours: bytes, theirs: bytes) -> int:
        import numpy as np

        a, b = np.frombuffer(ours, np.uint8), np.frombuffer(theirs, np.uint8)
        return int(np.count_nonzero((a != b).reshape(-1, self._itemsize).any(axis=1)))

    def _measure(self, ours: Numbers | None, theirs: Numbers | None) -> None:
        if ours is None or theirs is None:
            return
        apart = max_abs_diff(ours.values, theirs.values)
        if self.abs_diff is None or math.isnan(apart) or apart > self.abs_diff:
            self.abs_diff = apart
        ulp = max_ulp(ours.places, theirs.places, ours.unused_bits)
        self._has_ulp &= ulp is not None
        self.ulp = max(ulp or 0, self.ulp or 0) if self._has_ulp else None
