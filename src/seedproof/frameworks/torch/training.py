"""The training of this process, as all that look at it share it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Callable

from seedproof.frameworks.torch.initial import InitialBuffers
from seedproof.frameworks.torch.modules import Modules
from seedproof.frameworks.torch.optimizers import MOST_OPTIMIZERS, Known, Optimizers
from seedproof.frameworks.torch.points import Points
from seedproof.frameworks.torch.rows import Rows
from seedproof.frameworks.torch.thread import TrainingThread
from seedproof.frameworks.torch.undisturbed import undisturbed
from seedproof.inside.scope import END
from seedproof.trace.format import BEFORE_TRAINING

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Training:
    """Counts the updates, says where they begin, and writes what is left at the end."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.records_steps = recorder.mode != END
        self.rows = Rows(recorder)
        self.modules = Modules()
        self.initial = InitialBuffers()
        self.points = Points(recorder, self.rows)
        self.thread = TrainingThread(recorder)
        self.optimizers = Optimizers(self.modules)
        self.is_told_of = False
        self.has_optimizer = False
        self.has_hidden_updates = False
        self.updates = 0
        self._lock = threading.Lock()
        self._before_end: list[Callable[[], None]] = []
        recorder.add_counter(lambda: self.updates)
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """In a forked child the recording has an end of its own."""
        self._lock = threading.Lock()
        self._has_begun = self._tells_end = False
        self.recorder.at_end(undisturbed(self._end, self.recorder))

    def step_to_come(self) -> int:
        """The update to which everything belongs that is computed now."""
        return self.recorder.step() + 1

    def begins(self) -> None:
        """Something is about to be trained; `is_told_of` is true where others say when."""
        if self._has_begun:
            return
        self._has_begun = True
        if not self.is_told_of:
            self._tells_end = True
            self.recorder.report_effective()
            self.recorder.event("training_begins")
        if self.records_steps:
            step = self.recorder.step()
            self.points.generators(BEFORE_TRAINING if step < 0 else step + 1)

    def count_update(self) -> None:
        """An update has been made; several threads may say so."""
        with self._lock:
            self.updates += 1

    def write_gone(self) -> None:
        """What optimizers have left that are no more."""
        if self.optimizers.any_gone():
            for known in self.optimizers.gone():
                self._write(known)

    def _write(self, known: Known) -> None:
        if known.number < MOST_OPTIMIZERS:
            known.final.write(self.rows, self.points)

    def before_end(self, report: Callable[[], None]) -> None:
        """`report` is called before the recording ends."""
        self._before_end.append(report)

    def _end(self) -> None:
        for report in self._before_end:
            report()
        for known in self.optimizers.all():
            undisturbed(self._write, self.recorder)(known)
        self.rows.finish()
        if self._tells_end:
            self.recorder.event("training_ends")
