"""`tf.GradientTape`, as every training that TensorFlow differentiates by itself uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from seedproof.frameworks.tracebacks import instead_of

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.steps import Steps
    from seedproof.inside.recorder import Recorder


def observe(recorder: Recorder, steps: Steps) -> None:
    """Wraps the beginning and the end of recording on a tape, and the taking of gradients."""
    _wrap_gradient(tf.GradientTape, recorder, steps)
    _after(tf.GradientTape, "__enter__", steps.tape_begins)
    _after(tf.GradientTape, "__exit__", steps.inputs.end)


def _wrap_gradient(owner: Any, recorder: Recorder, steps: Steps) -> None:
    gradient, closely = owner.gradient, steps.closely

    @instead_of(gradient)
    def wrapper(self: Any, target: Any, sources: Any, *arguments: Any, **named: Any) -> Any:
        layers = [] if closely is None else closely.sources()
        if closely is None or not layers:
            gradients = gradient(self, target, sources, *arguments, **named)
        else:
            with closely.each.quiet():
                both = gradient(self, target, [sources, layers], *arguments, **named)
                gradients, of_layers = both
                closely.gradients(of_layers)
        try:
            steps.differentiated(self, target, sources)
        except Exception:
            recorder.trouble("gradient")
        return gradients

    owner.gradient = wrapper


def _after(owner: Any, method: str, then: Any) -> None:
    original = getattr(owner, method)

    @instead_of(original)
    def wrapper(self: Any, *arguments: Any) -> Any:
        result = original(self, *arguments)
        then(self)
        return result

    setattr(owner, method, wrapper)
