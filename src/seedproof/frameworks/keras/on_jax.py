"""Keras 3 on JAX: its steps are calls of compiled functions, and are seen as those are.

A step takes and returns the variables of its model as plain lists; here they get their names.
What a callback list tells of, the weights before and after a call of `fit` among it, is recorded
on every backend alike. Where a model is trained step by step, its weights are recorded at the end.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Sequence
from weakref import ref

import keras

from seedproof.frameworks.jax import framework as jax_face
from seedproof.frameworks.jax.functions import Known
from seedproof.frameworks.keras import state as keras_state

if TYPE_CHECKING:
    from seedproof.frameworks.jax.calls import Calls
    from seedproof.inside.recorder import Recorder

_TRAIN_STEP, _LOSS = "train_step", "compute_loss_and_updates"
# By step, the lists of variables that it is called with: all in one argument, or one in each.
_LISTS = {
    _TRAIN_STEP: ("trainable", "non_trainable", "optimizer", "metrics"),
    "test_step": ("trainable", "non_trainable", "metrics"),
    "predict_step": ("trainable", "non_trainable"),
    _LOSS: ("trainable", "non_trainable", "metrics"),
}
_MADE = re.compile(r"\w+\.make_(\w+)_function\.<locals>\.")
MOST_REMEMBERED = 8


def observe(recorder: Recorder) -> Steps | None:
    """Names what Keras compiles; None where JAX itself is not observed."""
    calls = jax_face.FRAMEWORK.calls
    return None if calls is None else Steps(recorder, calls)


class Steps:
    """The steps of Keras' models."""

    def __init__(self, recorder: Recorder, calls: Calls) -> None:
        self._recorder = recorder
        self._calls = calls
        self._training = calls.training
        self._remembered: dict[int, Any] = {}
        calls.functions.describe = self._describe
        recorder.at_end(self._record_last)

    def begin(self, model: Any) -> None:
        """A call of `fit` begins; its end is told too."""
        self._training.is_told = True

    def batch_end(self) -> None:
        """A batch has been trained on, or several: the model has its weights together again."""
        self._calls.steps_done()

    def end(self) -> None:
        """The call of `fit` has ended."""
        self._training.is_told = False

    def _describe(self, fun: Any) -> Known | None:
        model, step = _model_and_step(inspect.unwrap(fun))
        if model is None or step not in _LISTS:
            return None
        names = Names(ref(model), step)
        return Known(
            name=step,
            trains=step in (_TRAIN_STEP, _LOSS),
            of_argument=names.of_argument,
            of_result=names.of_result,
            stepped=lambda: self._stepped(names.model()),
        )

    def _stepped(self, model: Any) -> None:
        """Outside of `fit` nothing says when a training ends, so that its model is held until the
        script does; those of many trainings would fill the memory."""
        if model is not None and not self._training.is_told:
            self._remembered.pop(id(model), None)
            self._remembered[id(model)] = model
            if len(self._remembered) > MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]

    def _record_last(self) -> None:
        for number, model in enumerate(self._remembered.values()):
            values = keras_state.values_of(model.variables)
            step = self._recorder.step()
            self._recorder.record_named(f"final/model{number}", values, step, "output", keep=True)


class Names:
    """What the leaves of a step's arguments and results are: variables of its model, mostly."""

    def __init__(self, model: Any, step: str) -> None:
        self.model = model
        self._step = step

    def of_argument(self, path: Sequence[Any]) -> str | None:
        """`path` begins with 0 for a positional argument, and its number."""
        if self._step == _LOSS:
            return self._variable(path[1:]) if path[0] == 0 else None
        if path[:2] == (0, 0):
            return self._variable(path[2:])
        return "/".join(map(str, ("batch", *path[2:]))) if path[:2] == (0, 1) else None

    def of_result(self, path: Sequence[Any]) -> str | None:
        """Logs, or outputs, come first, then the variables."""
        if self._step == _LOSS or path[:1] != (1,):
            return None
        return self._variable(path[1:])

    def _variable(self, path: Sequence[Any]) -> str | None:
        model, lists = self.model(), _LISTS[self._step]
        if model is None or len(path) != 2 or path[0] >= len(lists):
            return None
        owner = model.optimizer if lists[path[0]] == "optimizer" else model
        kind = "variables" if owner is not model else f"{lists[path[0]]}_variables"
        variables = getattr(owner, kind, ())
        return str(variables[path[1]].path) if path[1] < len(variables) else None


def _model_and_step(fun: Any) -> tuple[Any, str]:
    """Of a function that Keras compiles: a method of a model, or one that is made within one."""
    model = getattr(fun, "__self__", None)
    if isinstance(model, keras.Model):
        return model, fun.__name__
    made = _MADE.match(getattr(fun, "__qualname__", ""))
    if made is None:
        return None, ""
    held = [cell.cell_contents for cell in getattr(fun, "__closure__", None) or ()]
    return next((m for m in held if isinstance(m, keras.Model)), None), f"{made[1]}_step"
