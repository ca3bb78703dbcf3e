"""Keras 3 on TensorFlow: where its updates, its training steps and its models are met.

`Optimizer.apply` is the one place that `fit`, a custom `train_step` and a hand-written loop all
pass. What leads to an update is met where a tape is asked for gradients, and where a model is
called while it records. All of it is recorded by operations of the same graph; what XLA compiles,
or a strategy spreads over replicas, is recorded between the calls.

The wrappers pass for the methods that they wrap (`instead_of` keeps the module's name): code
that AutoGraph converts takes them for Keras' own, and leaves them and what they call as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from seedproof.frameworks.tensorflow.framework import observed
from seedproof.frameworks.tracebacks import instead_of

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.steps import Steps
    from seedproof.inside.recorder import Recorder


def observe(recorder: Recorder) -> Steps:
    """Wraps the optimizers, the training step and the calls of models."""
    steps = observed(recorder)
    for optimizer in (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer):
        _wrap_apply(optimizer, steps)
    if steps.closely is not None:
        steps.closely.watch(keras.layers.Layer)
    _wrap_make_train_function(keras.Model, steps)
    _wrap_train_step(keras.Model, steps)
    _wrap_call(keras.Model, steps)
    return steps


def _wrap_apply(owner: Any, steps: Steps) -> None:
    apply = owner.apply

    @instead_of(apply)
    def wrapper(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        grads = list(grads)
        with steps.update(self, grads, trainable_variables):
            return apply(self, grads, trainable_variables)

    owner.apply = wrapper


def _wrap_make_train_function(owner: Any, steps: Steps) -> None:
    """The function that `fit` calls takes its step from the model: a script's own too."""
    make = owner.make_train_function

    @instead_of(make)
    def wrapper(self: Any, *arguments: Any, **named: Any) -> Any:
        train_step = self.train_step

        @instead_of(train_step)
        def seen(data: Any) -> Any:
            with steps.inputs.step_of(self, data):
                return train_step(data)

        object.__setattr__(self, "train_step", seen)
        try:
            return make(self, *arguments, **named)
        finally:
            object.__delattr__(self, "train_step")

    owner.make_train_function = wrapper


def _wrap_train_step(owner: Any, steps: Steps) -> None:
    """Keras' own step, which makes one update of one loss."""
    train_step = owner.train_step

    @instead_of(train_step)
    def wrapper(self: Any, data: Any) -> Any:
        with steps.inputs.step_of(self, data), steps.inputs.one_update():
            return train_step(self, data)

    owner.train_step = wrapper


def _wrap_call(owner: Any, steps: Steps) -> None:
    call = owner.__call__

    @instead_of(call)
    def wrapper(self: Any, *arguments: Any, **named: Any) -> Any:
        return steps.inputs.call(call, self, arguments, named)

    owner.__call__ = wrapper
