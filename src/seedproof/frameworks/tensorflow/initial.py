"""The state of models as it was before they were first called in a training.

The initial weights of an optimizer are recorded at its first update. Where that is eager, the call
that leads to it has changed by then what a model keeps of its batches, as batch normalization does:
taken for initial, that would be said to differ where it was the batch that differed.
"""

from __future__ import annotations

from typing import Any, Iterable
from weakref import WeakKeyDictionary

import tensorflow as tf

from seedproof.frameworks.keras import state as keras_state


class InitialState:
    """Of every model that was met, what it does not train."""

    def __init__(self) -> None:
        self._met: Any = WeakKeyDictionary()

    def meet(self, model: Any) -> None:
        """A model is about to be called. Of one that is not built yet nothing can be had."""
        if model in self._met:
            return
        self._met[model] = {}
        with tf.init_scope():
            state = list(model.non_trainable_variables) if model.built else []
            if keras_state.are_set(state):
                self._met[model] = {id(variable): variable.numpy() for variable in state}

    def values(self, models: Iterable[Any]) -> dict[int, Any]:
        """By variable, the values that they began with."""
        return {key: value for one in models for key, value in self._met.get(one, {}).items()}
