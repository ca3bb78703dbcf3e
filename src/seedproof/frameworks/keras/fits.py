"""The calls of `fit` and `evaluate`, as Keras' callback list tells of them on every backend."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

from seedproof.frameworks.keras import state as keras_state
from seedproof.inside.scope import END

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Fit:
    """One call of `fit`: its callback list, its number and where it began."""

    def __init__(self, callbacks: Any, number: int, steps_before: int) -> None:
        self.callbacks = callbacks
        self.number = number
        self.name = f"fit{number}"
        self._steps_before = steps_before
        self._epochs_done = 0

    def planned(self) -> int | None:
        """The steps of the process once this has run as it means to, where that is known."""
        steps, epochs = (self._parameter(name) for name in ("steps", "epochs"))
        return self._steps_before + steps * epochs if steps and epochs else None

    def planned_after_epoch(self, steps: int) -> int | None:
        """The same, when an epoch has shown how many there are: a step may make several updates."""
        self._epochs_done += 1
        found = self._steps_before + (steps - self._steps_before) * self._parameter("epochs")
        is_news = self._epochs_done == 1 and found not in (self.planned(), self._steps_before)
        return found if is_news else None

    def _parameter(self, name: str) -> int:
        return int((self.callbacks.params or {}).get(name) or 0)


class Fits:
    """Calls of `fit`, numbered as they begin; `steps` records what is inside of them, if any.

    Some backends keep the weights to themselves while an epoch runs, and asking a callback list
    for its model makes them give those back: it is asked between epochs only.
    """

    def __init__(self, recorder: Recorder, steps: Any) -> None:
        self._recorder = recorder
        self._steps = steps
        self._begun = 0
        self._running: list[Fit] = []
        self._tests = 0
        recorder.at_end(self._end_all)

    def after(self) -> dict[str, Callable[..., None]]:
        """What is called after the methods of a callback list."""
        return {
            "on_train_begin": self.begin,
            "on_train_batch_end": self.batch_end,
            "on_epoch_end": self.epoch_end,
            "on_test_end": self.test_end,
            "on_train_end": self.end,
        }

    def begin(self, callbacks: Any, nothing: None, logs: Any = None) -> None:
        """A call of `fit` begins; a model that has no weights yet is met at its first update."""
        model = callbacks.model
        if model is None:
            return
        fit = Fit(callbacks, self._begun, self._recorder.step() + 1)
        self._begun += 1
        self._running.append(fit)
        self._record(fit, model, keras_state.step_to_come(self._recorder), "init")
        keras_state.perturb(self._recorder, model.trainable_variables)
        if self._steps is not None:
            self._steps.begin(model)
        self._plan(fit.planned())
        self._recorder.report_effective()
        self._recorder.event("training_begins", fit=fit.number)

    def batch_end(self, callbacks: Any, nothing: None, batch: Any, logs: Any = None) -> None:
        """A batch, or several in one execution, have been trained on."""
        if self._steps is not None and self._of(callbacks) is not None:
            self._steps.batch_end()

    def epoch_end(self, callbacks: Any, nothing: None, epoch: Any, logs: Any = None) -> None:
        """An epoch has been trained and validated."""
        fit = self._of(callbacks)
        if fit is None:
            return
        self._metrics("fit", logs, fit.number)
        self._record(fit, callbacks.model, self._recorder.step(), "update")
        self._plan(fit.planned_after_epoch(self._recorder.step() + 1))
        self._recorder.epoch_done()

    def test_end(self, callbacks: Any, nothing: None, logs: Any = None) -> None:
        """What a validation finds stands among the metrics of its epoch."""
        if self._of(callbacks) is None:
            self._metrics("evaluate", logs, self._tests)
            self._tests += 1

    def end(self, callbacks: Any, nothing: None, logs: Any = None) -> None:
        """A call of `fit` has ended."""
        fit = self._of(callbacks)
        if fit is None:
            return
        self._running.remove(fit)
        self._record_last(fit)
        self._recorder.event("training_ends", fit=fit.number)
        if self._steps is not None:
            self._steps.end()

    def _of(self, callbacks: Any) -> Fit | None:
        return next((fit for fit in self._running if fit.callbacks is callbacks), None)

    def _record(self, fit: Fit, model: Any, step: int, phase: str) -> None:
        if self._recorder.mode == END:
            return
        optimizer, weights = (
            getattr(model, "optimizer", None),
            keras_state.values_of(model.variables),
        )
        self._recorder.record_named(fit.name, weights, step, phase, keep=True)
        keras_state.record_optimizer(self._recorder, fit.name, optimizer, step, phase)
        keras_state.hint_generators(self._recorder, step)

    def _record_last(self, fit: Fit) -> None:
        weights = keras_state.values_of(fit.callbacks.model.variables)
        group, step = f"final/{fit.name}", self._recorder.step()
        self._recorder.record_named(group, weights, step, "output", keep=True)

    def _end_all(self) -> None:
        """The recording ends within a training; in another thread its weights may just change."""
        if threading.current_thread() is threading.main_thread():
            for fit in self._running:
                if keras_state.are_there(fit.callbacks.model.variables):
                    self._record_last(fit)

    def _plan(self, steps: int | None) -> None:
        if steps is not None:
            self._recorder.planned(steps)

    def _metrics(self, group: str, logs: Any, fold: int) -> None:
        if logs:
            named = {f"{group}/{name}": value for name, value in logs.items()}
            self._recorder.metrics(group, named, fold=fold)
