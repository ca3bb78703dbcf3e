"""Rows that are written together: one after the other they would cost several times as much.

They are held while training goes on, for a tenth of a second, and written at once when it is left,
when anybody says how far the trace has come, and when the recording ends.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, Callable, Sequence, Tuple

from seedproof.trace.format import Column

SECONDS = 0.1

Row = Tuple[str, Sequence[Column], int, Sequence[int]]  # group, columns, step, words


class HeldRows:
    """Rows in their order; `wrote` is told of how many steps all rows have been written."""

    def __init__(
        self, lock: Any, write: Callable[[Sequence[Row]], None], wrote: Callable[[int], None]
    ) -> None:
        self._write_rows = write
        self._wrote = wrote
        self.begin_anew(lock)

    def begin_anew(self, lock: Any) -> None:
        """In a forked child: what is held is the parent's."""
        self._lock = lock
        self._rows: deque[Row] = deque()
        self._steps = self.steps_written = 0
        self._written_at = 0.0
        self._is_writing = self._have_been_lost = False

    def __bool__(self) -> bool:
        return bool(self._rows)

    def hold(self, row: Row) -> None:
        """One more."""
        self._rows.append(row)

    def hold_step(self, step: int) -> None:
        """All rows up to this step are written, or held; several threads may say so."""
        self._steps = max(self._steps, step + 1)

    def are_due(self) -> bool:
        """Whether they have been held long enough."""
        return monotonic() - self._written_at > SECONDS

    def write(self) -> None:
        """Writes them all. Where that is broken off, what was written before is all there is said
        to be; a signal handler that comes in between leaves it to whom it has interrupted."""
        with self._lock:
            if not self._is_writing:
                self._is_writing, whole = True, False
                try:
                    self._write()
                    whole = True
                finally:
                    self._is_writing = False
                    self._have_been_lost |= not whole

    def _write(self) -> None:
        steps = self._steps
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        if rows:
            self._write_rows(rows)
        self._written_at = monotonic()
        if not self._have_been_lost and steps > self.steps_written:
            self.steps_written = steps
            self._wrote(steps)
