"""The values of arrays that are kept whole, for distances: within a budget of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedproof.inside.process_stream import ProcessStream
    from seedproof.trace.writer import StreamWriter

BUDGET_BYTES = 64 << 20
# Steps in between get half, so that the final weights still find room.
FOR_STEPS_BYTES = BUDGET_BYTES // 2


class KeptValues:
    """Initial and final weights, and those after steps 0, 1, 2, 4, 8 …"""

    def __init__(self, stream: ProcessStream | StreamWriter) -> None:
        self._stream = stream
        self._kept_bytes = 0

    def wants(self, step: int) -> bool:
        """Whether the weights after this step are to be kept."""
        return step >= 0 and step & (step - 1) == 0 and self._kept_bytes < FOR_STEPS_BYTES

    def keep(self, name: str, phase: str, step: int, array: Any, dtype: str) -> None:
        """Keeps the bits of a NumPy array while the budget lasts."""
        if self._kept_bytes + array.nbytes > BUDGET_BYTES:
            return
        self._kept_bytes += array.nbytes
        self._stream.keep(name, phase, step, dtype, array.shape, array.tobytes())
