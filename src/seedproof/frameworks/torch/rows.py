"""Rows of digests, in their order, also where a device has yet to compute them.

What goes into a step is written together with what it leaves, and the steps of a tenth of a second
together. What a device computes is written when it has come, and until then nothing that follows: a
thread of the recorder looks every 100 ms.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Sequence, Tuple

from seedproof.frameworks.torch.digest import name_of
from seedproof.frameworks.torch.found import Found, Words, known
from seedproof.trace.format import DIGEST, Column

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

MOST_PENDING = 256  # rows of one step before they are written in any case
MOST_COMING = 1000  # rows: beyond that the oldest is waited for, so that memory does not grow

Named = Sequence[Tuple[str, Any]]


def column(phase: str, name: str, tensor: Any, kind: str = DIGEST) -> Column:
    """The column of a tensor, as it is now."""
    if tensor is None:
        return Column(phase, name, kind)
    return Column(phase, name, kind, name_of(tensor.dtype), tuple(tensor.shape))


class Rows:
    """The rows of this process, in the order in which they are put."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._columns: dict[Any, Sequence[Column]] = {}
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """In a forked child: what waits is the parent's, and so is the thread that looks."""
        self._lock = threading.RLock()
        self._pending: list[Any] = []
        self._coming: deque[Any] = deque()
        self._is_drained = False

    def columns(self, group: str, phase: str, named: Named, kind: str = DIGEST) -> Sequence[Column]:
        """Columns for tensors by name: those of the first that had the same names."""
        key = (group, kind, *[name for name, _ in named])
        if key not in self._columns:
            self._columns[key] = tuple(column(phase, *one, kind) for one in named)
        return self._columns[key]

    # -- rows of the step to come --------------------------------------------------------------

    def put(self, group: str, columns: Sequence[Column], words: Words) -> None:
        """A row of the step to come; several threads may put some."""
        self._pending.append((group, columns, words))
        if len(self._pending) > MOST_PENDING:
            self.write_pending(self._recorder.step() + 1)
            self._recorder.held.write()

    def write_pending(self, step: int) -> None:
        """Writes what has been put, as rows of this step."""
        pending, self._pending = self._pending, []
        for group, columns, words in pending:
            self.write(group, columns, step, words)

    # -- rows of a certain step ----------------------------------------------------------------

    def write(self, group: str, columns: Sequence[Column], step: int, *parts: Words) -> None:
        """One row: all the words of its parts."""
        coming = [part for part in parts if isinstance(part, Found)]
        if coming or self._coming:
            self._hold_later(coming, lambda: self._hold(group, columns, step, parts))
        else:
            self._hold(group, columns, step, parts)

    def _hold(self, group: str, columns: Any, step: int, parts: Sequence[Words]) -> None:
        words = [word for part in parts for word in known(part)]
        self._recorder.held.hold((group, columns, step, words))

    def update_done(self, step: int) -> None:
        """All rows of update `step` are there, or wait for a device."""
        held = self._recorder.held
        if self._coming:
            self._hold_later([], lambda: held.hold_step(step))
        else:
            held.hold_step(step)
        self._recorder.update_held(step)

    def training_is_left(self) -> None:
        """Something else goes on, nobody knows how long."""
        if self._recorder.held:
            self._recorder.held.write()

    # -- what devices compute ------------------------------------------------------------------

    def _hold_later(self, coming: Sequence[Found], hold: Callable[[], None]) -> None:
        with self._lock:
            self._coming.append((coming, hold))
            if len(self._coming) > MOST_COMING:
                self._hold_first()
        if not self._is_drained:
            self._is_drained = True
            self._recorder.add_drain(self._drain)

    def _drain(self) -> int:
        """Writes what has come; how many steps have been written whole."""
        with self._lock:
            while self._coming and all(part.is_there() for part in self._coming[0][0]):
                self._hold_first()
        self._recorder.held.write()
        return self._recorder.held.steps_written

    def _hold_first(self) -> None:
        """It stays until it is held: nobody else may come before it meanwhile."""
        self._coming[0][1]()
        self._coming.popleft()

    def finish(self) -> None:
        """Everything is held; waits for what is still to come."""
        self.write_pending(self._recorder.step() + 1)
        with self._lock:
            while self._coming:
                self._hold_first()
