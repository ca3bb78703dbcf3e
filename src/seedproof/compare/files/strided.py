"""Views of storages, as PyTorch has them: an offset, a shape and strides, in elements."""

from __future__ import annotations

import math
from typing import NamedTuple


class View(NamedTuple):
    """Which elements of a storage a tensor has."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    def reach(self) -> int:
        """How many elements of the storage lie between its first and its last, both included."""
        steps = zip(self.shape, self.strides, strict=True)
        return 1 + sum((length - 1) * stride for length, stride in steps) if self.elements else 0

    def axes(self) -> tuple[int, ...]:
        """The axes longer than one, in the order in which they are stored."""
        longer = (axis for axis, length in enumerate(self.shape) if length > 1)
        return tuple(sorted(longer, key=lambda axis: -self.strides[axis]))

    def is_dense(self) -> bool:
        """Whether its elements lie side by side, in some order of the axes, each once."""
        step = 1
        for axis in reversed(self.axes()):
            if self.strides[axis] != step:
                return False
            step *= self.shape[axis]
        return True

    def gathered(self, data: bytes, itemsize: int) -> bytes:
        """The elements in order, out of the bytes between the first and the last."""
        import numpy as np

        steps = [stride * itemsize for stride in self.strides]
        return np.ndarray(self.shape, f"V{itemsize}", data, 0, steps).tobytes()
