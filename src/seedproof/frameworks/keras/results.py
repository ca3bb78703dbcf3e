"""What a Keras model is asked for outside of `fit`: predictions, and batches one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Results:
    """Records what the methods of models return."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def after(self) -> dict[str, Callable[..., None]]:
        """What is called after the methods of a model."""
        return {
            "predict": self.predicted,
            "predict_on_batch": self.predicted,
            "train_on_batch": self.trained_on_batch,
            "test_on_batch": self.tested_on_batch,
        }

    def predicted(self, model: Any, result: Any, *_: Any, **__: Any) -> None:
        """The outputs of a model, as arrays."""
        if not self._recorder.trains:
            return
        try:
            self._recorder.record("predict", result, None, "output")
        except TypeError as error:  # ragged outputs, say
            self._recorder.event("note", text=f"what predict gave was not recorded: {error}")

    def trained_on_batch(self, model: Any, result: Any, *_: Any, **__: Any) -> None:
        """The loss and metrics of one batch."""
        self._recorder.metrics("train_on_batch", _named("train_on_batch", result))

    def tested_on_batch(self, model: Any, result: Any, *_: Any, **__: Any) -> None:
        """The loss and metrics of one batch."""
        self._recorder.metrics("test_on_batch", _named("test_on_batch", result))


def _named(group: str, result: Any) -> dict[str, Any]:
    """By name where the script asked for a dictionary, else in the order of the metrics."""
    if isinstance(result, dict):
        return {f"{group}/{name}": value for name, value in result.items()}
    values = result if isinstance(result, (list, tuple)) else [result]
    return {f"{group}/{at}" if at else f"{group}/loss": value for at, value in enumerate(values)}
