"""What recording costs with Keras on TensorFlow: interleaved pairs inside one process, one thread.

Turns (see `turns`) of the article's network and of one whose steps are long in comparison with what
is digested. A step is a call of the function that `fit` calls for each of its steps, with batches
from the same kind of pipeline.

    python benchmarks/recording_keras.py [ROUNDS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402 - the number of threads comes first
import tensorflow as tf  # noqa: E402
from tensorflow import keras  # noqa: E402

from seedproof.experiments.datasets import load  # noqa: E402
from seedproof.experiments.mnist_cv import build_model  # noqa: E402
from seedproof.frameworks.keras.framework import FRAMEWORK  # noqa: E402
from seedproof.inside import recorder  # noqa: E402
from seedproof.trace.writer import StreamWriter  # noqa: E402
from turns import TURN, Cost, Observing, compare, keep_memory, turn  # noqa: E402

BATCH = 100
CALLBACKS = ("on_train_begin", "on_train_batch_end", "on_epoch_end", "on_test_end", "on_train_end")
PATCHED = (
    *((keras.callbacks.CallbackList, name) for name in CALLBACKS),
    *((keras.Model, name) for name in ("train_step", "make_train_function", "__call__")),
    (keras.optimizers.Optimizer, "apply"),
    (tf.GradientTape, "gradient"),
    (type(tf.function(lambda: None)), "__call__"),
)


class Training:
    """One model, trained in the way in which Keras was observed when it was made."""

    def __init__(self, build: Callable[[], Any], images: np.ndarray, labels: np.ndarray) -> None:
        self._observing = Observing(PATCHED)
        keras.utils.set_random_seed(0)
        self.model = build()
        batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(BATCH)
        self.model.fit(batches, shuffle=False, verbose=0)
        self._batches = iter(batches.repeat())
        turn(self)

    def begin_turn(self) -> None:
        """Puts back how Keras is observed."""
        self._observing.restore()

    def step(self) -> float:
        """One step, in seconds of the processor."""
        began = time.process_time()
        self.model.train_function(self._batches)
        return time.process_time() - began

    def digested_bytes(self) -> int:
        """Of one step: the batch, the gradients and the weights."""
        batch = next(iter(self._batches))
        weights = sum(weight.nbytes for weight in self.model.get_weights())
        return sum(tensor.numpy().nbytes for tensor in batch) + 2 * weights

    def trained(self) -> list[bytes]:
        """The bits of all that the model holds."""
        return [weight.tobytes() for weight in self.model.get_weights()]


def long_steps() -> Any:
    """Few weights, much used."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def measure(rounds: int) -> Iterator[Cost]:
    """The cost for each network, from so many rounds of all its batches."""
    keep_memory()
    digits = load("digits")
    plain = Observing(PATCHED)
    with tempfile.TemporaryDirectory() as place:
        FRAMEWORK.observe(recorder.begin(StreamWriter(str(Path(place) / "trace" / "main"))))
        observed = Observing(PATCHED)
        for title, build, steps in (
            ("the article's network", build_model, 200),
            ("a network of long steps", long_steps, 40),
        ):
            picked = np.arange(steps * BATCH) % len(digits.images)
            trainings = []
            for observing in (plain, observed, plain):
                observing.restore()
                trainings.append(Training(build, digits.images[picked], digits.labels[picked]))
            yield compare(f"Keras on TensorFlow, {title}", trainings, rounds * steps // TURN)


def main() -> None:
    for cost in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 12):
        print(cost, flush=True)


if __name__ == "__main__":
    main()
