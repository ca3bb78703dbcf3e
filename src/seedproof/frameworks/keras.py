"""Keras 3: epochs, evaluations and weights through its callback list, on every backend.

What happens inside a training step belongs to the backend; see `keras_on_tensorflow`. The Keras
that older TensorFlows carry is pinned, not observed.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import keras

from seedproof.frameworks.base import Framework
from seedproof.trace.format import BEFORE_TRAINING

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Keras(Framework):
    """Seeds need no pin of their own: Keras draws them from Python, NumPy and the backend."""

    name = "keras"

    def version(self) -> str:
        return str(keras.__version__)

    def observe(self, recorder: Recorder) -> None:
        if int(self.version().split(".")[0]) < 3:
            recorder.event("note", text=f"Keras {self.version()} is not observed")
            return
        fits = Fits(recorder)
        if keras.backend.backend() == "tensorflow":
            from seedproof.frameworks import keras_on_tensorflow

            fits.steps = keras_on_tensorflow.observe(recorder)
        after = {
            "on_train_begin": fits.begin,
            "on_train_batch_end": fits.batch_end,
            "on_epoch_end": fits.epoch_end,
            "on_test_end": fits.test_end,
            "on_train_end": fits.end,
        }
        for method, then in after.items():
            _call_after(keras.callbacks.CallbackList, method, then, recorder)


def _call_after(owner: Any, method: str, then: Any, recorder: Recorder) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def wrapper(self: Any, *arguments: Any, **named: Any) -> Any:
        result = original(self, *arguments, **named)
        try:
            then(self.model, *arguments, **named)
        except Exception:
            recorder.trouble(method)
        return result

    setattr(owner, method, wrapper)


class Fits:
    """The calls of `fit` and `evaluate`, numbered as they come."""

    def __init__(self, recorder: Recorder) -> None:
        self.steps: Any = None
        self._recorder = recorder
        self._fits = 0
        self._fitting = False
        self._tests = 0

    def begin(self, model: Any, logs: Any = None) -> None:
        step = self._recorder.step()
        at = BEFORE_TRAINING if step < 0 else step + 1
        self._recorder.record_named(f"fit{self._fits}", _weights(model), at, "init", keep=True)
        if self.steps is not None:
            self.steps.begin(model)
        self._fitting = True
        self._recorder.report_effective()
        self._recorder.event("training_begins", fit=self._fits)

    def batch_end(self, model: Any, batch: Any, logs: Any = None) -> None:
        if self.steps is not None:
            self.steps.batch_end()

    def epoch_end(self, model: Any, epoch: Any, logs: Any = None) -> None:
        self._metrics("fit", logs, self._fits)
        self._recorder.record_named(f"fit{self._fits}", _weights(model), None, "update", keep=True)

    def test_end(self, model: Any, logs: Any = None) -> None:
        """What a validation finds stands among the metrics of its epoch."""
        if not self._fitting:
            self._metrics("evaluate", logs, self._tests)
            self._tests += 1

    def end(self, model: Any, logs: Any = None) -> None:
        self._recorder.event("training_ends", fit=self._fits)
        self._fits += 1
        self._fitting = False
        if self.steps is not None:
            self.steps.end()

    def _metrics(self, group: str, logs: Any, fold: int) -> None:
        if logs:
            named = {f"{group}/{name}": value for name, value in logs.items()}
            self._recorder.metrics(group, named, fold=fold)


def _weights(model: Any) -> dict[str, Any]:
    return {variable.path: keras.ops.convert_to_numpy(variable) for variable in model.variables}


FRAMEWORK = Keras()
