"""The one thread that trains.

What other threads do in between (fetching batches, evaluating, playing an environment) happens in
another order in every run, so it is left out. Where several train at once, a difference proves
nothing, and that is said.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class TrainingThread:
    """The first thread that is seen to train, until it has ended."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._ambiguous = False
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._ident: int | None = None
        self._thread: Any = None
        self._has_stepped = False

    def is_here(self) -> bool:
        """Whether this thread is the one that trains; the first that asks becomes it."""
        if threading.get_ident() == self._ident:
            return True
        if _loads_data():
            return False
        if self._thread is None or not self._thread.is_alive():
            self._move_here()
            return True
        return False

    def steps_here(self) -> None:
        """This thread makes an update."""
        if not self.is_here():
            if self._has_stepped and not self._ambiguous:
                self._ambiguous = True
                self._recorder.event("ambiguous", why="several threads train at once")
            self._move_here()
        self._has_stepped = True

    def _move_here(self) -> None:
        self._thread = threading.current_thread()
        self._ident = threading.get_ident()
        self._has_stepped = False


def _loads_data() -> bool:
    """Whether this is a worker process of a DataLoader."""
    return torch.utils.data.get_worker_info() is not None
