"""What recording costs with Keras on TensorFlow, on the article's network, one thread.

Two equal models are trained in turn on the same batches, one plain, one recorded; each pair
gives one ratio of processor times. Whole processes scatter by more than what is measured here.

    python benchmarks/recording_keras.py [PAIRS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402 - the number of threads comes first
import tensorflow as tf  # noqa: E402
from tensorflow import keras  # noqa: E402

from intervals import interval  # noqa: E402
from seedproof.experiments.datasets import load  # noqa: E402
from seedproof.experiments.mnist_cv import build_model  # noqa: E402
from seedproof.frameworks.keras.framework import FRAMEWORK  # noqa: E402
from seedproof.inside import recorder  # noqa: E402
from seedproof.trace.writer import StreamWriter  # noqa: E402

STEPS = 432  # an epoch of the article
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

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self._observing = [getattr(owner, name) for owner, name in PATCHED]
        self._data = (images, labels)
        keras.utils.set_random_seed(0)
        self.model = build_model()
        self.seconds()

    def seconds(self) -> float:
        """One epoch of `STEPS` steps, in seconds of the processor."""
        for (owner, name), patch in zip(PATCHED, self._observing, strict=True):
            setattr(owner, name, patch)
        began = time.process_time()
        self.model.fit(*self._data, batch_size=BATCH, epochs=1, verbose=0)
        return time.process_time() - began


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    digits = load("digits")
    picked = np.arange(STEPS * BATCH) % len(digits.images)
    images, labels = digits.images[picked], digits.labels[picked]
    plain = Training(images, labels)
    with tempfile.TemporaryDirectory() as place:
        FRAMEWORK.observe(recorder.begin(StreamWriter(str(Path(place) / "trace" / "main"))))
        recorded = Training(images, labels)
        ratios, steps = measure(plain, recorded, pairs)
    same = all(
        a.tobytes() == b.tobytes()
        for a, b in zip(plain.model.get_weights(), recorded.model.get_weights(), strict=True)
    )
    low, high = interval(ratios)
    print(
        f"Keras on TensorFlow, the article's network: {statistics.median(ratios):.3f} times the "
        f"plain step (95% interval of the median {low:.3f} to {high:.3f}, {pairs} pairs of "
        f"{STEPS} steps, plain step {1000 * statistics.median(steps):.2f} ms), "
        f"trained weights {'equal bit for bit' if same else 'DIFFER'}"
    )


def measure(plain: Training, recorded: Training, pairs: int) -> tuple[list[float], list[float]]:
    ratios, steps = [], []
    for pair in range(pairs):
        if pair % 2:
            without, with_recording = plain.seconds(), recorded.seconds()
        else:
            with_recording, without = recorded.seconds(), plain.seconds()
        ratios.append(with_recording / without)
        steps.append(without / STEPS)
    return ratios, steps


if __name__ == "__main__":
    main()
