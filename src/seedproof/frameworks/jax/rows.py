"""Rows of digests, written in their order, also where a device has yet to compute them.

As long as everything is known, a row is written at once. What a device computes is written when
it has come, and until then nothing that follows: the next row looks, when the script has its next
call under way, and so does a thread of the recorder every 100 ms.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Sequence, Tuple

from seedproof.frameworks.jax.look import is_there

if TYPE_CHECKING:
    from seedproof.frameworks.jax.look import Word
    from seedproof.inside.recorder import Recorder
    from seedproof.trace.format import Column

MOST_WAITING = 100  # rows: beyond that the oldest is waited for, so that memory does not grow

_Waiting = Tuple[Sequence[Any], Callable[[], None]]


class Rows:
    """The rows of this process, in the order in which they are put."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.RLock()
        self._steps_written = 0
        self._is_drained = False

    def put(self, group: str, columns: Sequence[Column], step: int, words: Sequence[Word]) -> None:
        """One row, of the digests that were found."""
        if not columns:
            return

        def write() -> None:
            self._recorder.row(group, columns, step, list(map(int, words)))

        self._put(words, write)

    def update_done(self, step: int) -> None:
        """All rows of update `step` have been put."""

        def write() -> None:
            self._steps_written = step + 1

        self._put((), write)
        self._recorder.update_done(step)

    def _put(self, words: Sequence[Word], write: Callable[[], None]) -> None:
        with self._lock:
            if not self._waiting and all(map(is_there, words)):
                write()
            else:
                self._wait_for(words, write)

    def _wait_for(self, words: Sequence[Word], write: Callable[[], None]) -> None:
        self._waiting.append((words, write))
        if not self._is_drained:
            self._is_drained = True
            self._recorder.add_drain(self._drain)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()[1]()
        self._write_what_has_come()

    def _write_what_has_come(self) -> None:
        while self._waiting and all(map(is_there, self._waiting[0][0])):
            self._waiting.popleft()[1]()

    def _drain(self) -> int:
        """Writes what has come; how many steps have been written whole."""
        with self._lock:
            self._write_what_has_come()
            return self._steps_written

    def flush(self) -> None:
        """Waits for everything, and writes it."""
        with self._lock:
            while self._waiting:
                self._waiting.popleft()[1]()
