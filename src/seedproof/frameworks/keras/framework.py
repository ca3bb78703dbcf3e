"""Keras 3: epochs, evaluations and weights through its callback list, on every backend.

What happens inside a training step belongs to the backend; see `on_tensorflow`. The Keras
that older TensorFlows carry is pinned, not observed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable

import keras

from seedproof.frameworks.base import Framework
from seedproof.frameworks.keras.fits import Fits
from seedproof.frameworks.keras.results import Results
from seedproof.frameworks.tracebacks import instead_of

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
        fits, results = Fits(recorder, _steps(recorder)), Results(recorder)
        for method, then in fits.after().items():
            _call_after(keras.callbacks.CallbackList, method, then, recorder)
        for method, then in results.after().items():
            _call_after(keras.Model, method, then, recorder)


def _steps(recorder: Recorder) -> Any:
    """What records the steps of the backend; None where nothing does, which is then said."""
    name = keras.backend.backend()
    location = f"seedproof.frameworks.keras.on_{name}"
    try:
        backend = import_module(location)
    except ModuleNotFoundError as error:
        if error.name != location:
            raise
        recorder.event("note", text=f"of Keras on {name} epochs are observed, not steps")
        return None
    return backend.observe(recorder)


def _call_after(owner: Any, method: str, then: Callable[..., Any], recorder: Recorder) -> None:
    """Calls `then(owner, result, arguments of the method …)` after `method` has returned."""
    original = getattr(owner, method)

    @instead_of(original)
    def wrapper(self: Any, *arguments: Any, **named: Any) -> Any:
        result = original(self, *arguments, **named)
        try:
            then(self, result, *arguments, **named)
        except Exception:
            recorder.trouble(method)
        return result

    setattr(owner, method, wrapper)


FRAMEWORK = Keras()
