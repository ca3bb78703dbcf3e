"""The training of this process as JAX sees it: which calls are its steps, and how many so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.inside.recorder import Recorder


class Training:
    """Counts the steps; while `is_told` somebody else tells when a training begins and ends."""

    def __init__(self, recorder: Recorder) -> None:
        self.steps = 0
        self.is_told = False
        self._recorder = recorder
        self._takes_gradients = False
        self._has_begun = False
        recorder.add_counter(lambda: self.steps)

    def takes_gradients(self) -> None:
        """Somewhere in the script a gradient is taken."""
        self._takes_gradients = True
        self._begin()

    def is_step(self, function: Function) -> bool:
        """Whether the calls of a function are steps."""
        feeds_itself = function.feeds_itself and not self._takes_gradients
        return function.takes_gradients or feeds_itself

    def count(self) -> None:
        """A step has been made."""
        self._begin()
        self.steps += 1

    def _begin(self) -> None:
        if not self._has_begun and not self.is_told:
            self._has_begun = True
            self._recorder.report_effective()
            self._recorder.event("training_begins")

    def end(self) -> None:
        """The recording ends."""
        if self.steps == 1:
            self._recorder.event("note", text=_ONE_STEP)
        if self._has_begun:
            self._recorder.event("training_ends")


_ONE_STEP = (
    "JAX made one step, as it does where a whole training is one compiled call: that is compared "
    "as one. To compare what it does inside, return that from the loop (the ys of jax.lax.scan) "
    'and add: for step, value in enumerate(values): seedproof.record("train", value, step=step)'
)
