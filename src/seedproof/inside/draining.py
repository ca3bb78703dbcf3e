"""Empties what graphs and devices have computed, at least every 100 ms, in a thread of its own.

So the parent can compare while the training runs, and no queue fills up. The first steps, at which
most runs part that part at all, are told sooner.
"""

from __future__ import annotations

import threading
from typing import Callable

_FIRST_STEPS = 50
_FIRST_SECONDS, _SECONDS = 0.02, 0.1


class Draining:
    """`wrote` is told how many steps have been finished, `failed` of an exception, once."""

    def __init__(self, wrote: Callable[[int], None], failed: Callable[[str], None]) -> None:
        self._wrote = wrote
        self._failed = failed
        self._has_failed = False
        self._drains: list[Callable[[], int]] = []
        self._steps = 0
        self._lock = threading.Lock()
        self._finish_asked = threading.Event()
        self._thread: threading.Thread | None = None

    def __bool__(self) -> bool:
        return bool(self._drains)

    def add(self, drain: Callable[[], int]) -> None:
        """`drain` writes the rows that have been computed, and returns the steps finished."""
        self._drains.append(drain)
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="seedproof", daemon=True)
            self._thread.start()

    def once(self) -> None:
        """Writes what has been computed so far."""
        with self._lock:
            finished = [drain() for drain in self._drains]
        if finished:
            self._steps = min(finished)
            self._wrote(self._steps)

    def _go_on(self) -> None:
        """Goes on after a failure, told once: a queue that fills up would block the training."""
        while not self._finish_asked.wait(self._pause()):
            try:
                self.once()
            except Exception:
                if not self._has_failed:
                    self._has_failed = True
                    self._failed("drain")

    def _pause(self) -> float:
        return _FIRST_SECONDS if self._steps < _FIRST_STEPS else _SECONDS

    def stop(self) -> None:
        """Ends the thread; may be called in it, too."""
        self._finish_asked.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def forget(self) -> None:
        """In a forked child there is no thread, and what a graph has computed is the parent's."""
        self._drains, self._thread = [], None
        self._lock = threading.Lock()
        self._finish_asked = threading.Event()
