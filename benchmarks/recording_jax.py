"""What recording costs on the article's network, written in plain JAX: interleaved pairs.

Two equal trainings go through the same batches in turn, one with the `jax.jit` that JAX has, one
with the one that records; each pair gives one ratio. A recorded pass ends when its last row is
written. Where arrays come to lie makes one of the two faster by a tenth, for as long as a process
lives: so there are several processes.

    python benchmarks/recording_jax.py [PAIRS [PROCESSES]]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("NPROC", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from seedproof.frameworks.jax.framework import FRAMEWORK
from seedproof.inside import recorder
from seedproof.trace.writer import StreamWriter

STEPS = 50
BATCH = 100
SHAPES = {
    "conv1": (3, 3, 1, 8),
    "conv2": (3, 3, 8, 8),
    "dense": (200, 128),
    "out": (128, 10),
}


def initial() -> Any:
    """Weights, biases, and the two moments of Adam."""
    generator = np.random.default_rng(0)
    params = {
        name: {
            "kernel": jnp.asarray(generator.normal(0, 0.1, shape), jnp.float32),
            "bias": jnp.zeros(shape[-1], jnp.float32),
        }
        for name, shape in SHAPES.items()
    }
    moments = [jax.tree.map(jnp.zeros_like, params) for _ in range(2)]
    return {"params": params, "moments": moments, "key": jax.random.key(1), "count": jnp.zeros(())}


def logits_of(params: Any, key: Any, images: Any) -> Any:
    found = images[..., None]
    for name in ("conv1", "conv2"):
        layout = ("NHWC", "HWIO", "NHWC")
        found = lax.conv_general_dilated(
            found, params[name]["kernel"], (1, 1), "VALID", dimension_numbers=layout
        )
        found = jax.nn.relu(found + params[name]["bias"])
        found = lax.reduce_window(found, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    found = found.reshape(len(images), -1)
    found = jax.nn.relu(found @ params["dense"]["kernel"] + params["dense"]["bias"])
    found = jnp.where(jax.random.bernoulli(key, 0.8, found.shape), found / 0.8, 0)
    return found @ params["out"]["kernel"] + params["out"]["bias"]


def loss_of(params: Any, key: Any, images: Any, labels: Any) -> Any:
    scores = jax.nn.log_softmax(logits_of(params, key, images))
    return -jnp.take_along_axis(scores, labels[:, None], 1).mean()


def step(state: Any, images: Any, labels: Any) -> Any:
    """One update of Adam."""
    key, now = jax.random.split(state["key"])
    loss, gradients = jax.value_and_grad(loss_of)(state["params"], now, images, labels)
    count, (mean, square) = state["count"] + 1, state["moments"]
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
    rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    moved = jax.tree.map(
        lambda p, m, s: p - rate * m / (jnp.sqrt(s) + 1e-7), state["params"], mean, square
    )
    return {"params": moved, "moments": [mean, square], "key": key, "count": count}, loss


class Training:
    """One model, trained by its own compiled step."""

    def __init__(self, compiled_step: Any, end_of_pass: Callable[[], None] = lambda: None) -> None:
        self._step = compiled_step
        self._end_of_pass = end_of_pass
        self.state = initial()

    def seconds(self, batches: list[Any]) -> float:
        """One pass over the batches, in seconds."""
        began = time.perf_counter()
        for images, labels in batches:
            self.state, _ = self._step(self.state, images, labels)
        jax.block_until_ready(self.state["params"])
        self._end_of_pass()
        return time.perf_counter() - began


def measure(pairs: int) -> tuple[list[float], list[float], bool]:
    """The ratio of each pair, the seconds of each plain step, and whether the bits are equal."""
    generator = np.random.default_rng(0)
    images = generator.random((STEPS, BATCH, 28, 28), np.float32)
    batches = list(zip(images, generator.integers(0, 10, (STEPS, BATCH)), strict=True))
    plain = Training(jax.jit(step, donate_argnums=0))
    with tempfile.TemporaryDirectory() as place:
        recording = recorder.begin(StreamWriter(str(Path(place) / "trace" / "main")))
        FRAMEWORK.observe(recording)
        recorded = Training(jax.jit(step, donate_argnums=0), recording.drain)
        for training in (plain, recorded):
            training.seconds(batches)
        ratios, steps = [], []
        for pair in range(pairs):
            order = (plain, recorded) if pair % 2 else (recorded, plain)
            took = {training: training.seconds(batches) for training in order}
            ratios.append(took[recorded] / took[plain])
            steps.append(took[plain] / STEPS)
    return ratios, steps, _same_bits(plain.state["params"], recorded.state["params"])


def _same_bits(ours: Any, theirs: Any) -> bool:
    leaves = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in leaves)


def in_another_process(pairs: int) -> tuple[float, float, bool]:
    """The median ratio, the median seconds of a plain step, and whether the bits are equal."""
    command = [sys.executable, __file__, str(pairs), "1"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["ratio"], found["step"], found["same"]


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    if processes == 1:
        ratios, steps, same = measure(pairs)
        medians = {"ratio": statistics.median(ratios), "step": statistics.median(steps)}
        print(json.dumps({**medians, "same": same}))
        return
    found = [in_another_process(pairs) for _ in range(processes)]
    of_all = sorted(ratio for ratio, _, _ in found)
    print(
        f"recording every step of the article's network in JAX: {statistics.median(of_all):.3f} "
        f"times the plain step (in {processes} processes {of_all[0]:.3f} to {of_all[-1]:.3f}, each "
        f"{pairs} pairs of {STEPS} steps, plain step "
        f"{1000 * statistics.median(step for _, step, _ in found):.2f} ms), trained weights "
        f"{'equal bit for bit' if all(same for *_, same in found) else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
