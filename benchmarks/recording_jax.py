"""What recording costs on the article's network, written in plain JAX: interleaved pairs.

One training makes a few steps plainly and a few that are recorded, in turn; each pair of turns
gives one ratio. It is the same compiled step both times: where two of them, and their arrays, come
to lie makes one faster by a tenth for as long as a process lives. A recorded turn ends when its
last row is written. Whether the bits are equal, two trainings of their own show before. Each
process has its memory elsewhere, so there are several.

    python benchmarks/recording_jax.py [PAIRS [PROCESSES]]
"""

from __future__ import annotations

import itertools
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
WARM_UP_STEPS, TURN = 5, 20
WARM_UP_TURNS = 4  # until a set of shapes has come often enough to be copied
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
    """One model, trained by one compiled step, which is called as it is or through what records."""

    def __init__(self, batches: list[Any], end_of_turn: Callable[[], None]) -> None:
        self._recorded = jax.jit(step, donate_argnums=0)
        self._plain = object.__getattribute__(self._recorded, "_original")
        self._batches = itertools.cycle(batches)
        self._end_of_turn = end_of_turn
        self.state = initial()

    def turn(self, recorded: bool) -> float:
        """A few steps, in seconds; the first ones find other things in the processor's caches, and
        an unknown state, and do not count."""
        self._steps(WARM_UP_STEPS, recorded)
        began = time.perf_counter()
        self._steps(TURN, recorded)
        return time.perf_counter() - began

    def _steps(self, count: int, recorded: bool) -> None:
        call = self._recorded if recorded else self._plain
        for images, labels in itertools.islice(self._batches, count):
            self.state, _ = call(self.state, images, labels)
        jax.block_until_ready(self.state["params"])
        if recorded:
            self._end_of_turn()


def measure(pairs: int) -> tuple[list[float], list[float], bool]:
    """The ratio of each pair, the seconds of each plain step, and whether the bits are equal."""
    generator = np.random.default_rng(0)
    images = generator.random((STEPS, BATCH, 28, 28), np.float32)
    batches = list(zip(images, generator.integers(0, 10, (STEPS, BATCH)), strict=True))
    with tempfile.TemporaryDirectory() as place:
        recording = recorder.begin(StreamWriter(str(Path(place) / "trace" / "main")))
        FRAMEWORK.observe(recording)
        trained = []
        for recorded in (False, True):
            training = Training(batches, recording.drain)
            for _ in range(WARM_UP_TURNS):
                training.turn(recorded)
            trained.append(jax.tree.map(np.array, training.state["params"]))
        ratios, steps = [], []
        for pair in range(pairs):
            order = (False, True) if pair % 2 else (True, False)
            took = {recorded: training.turn(recorded) for recorded in order}
            ratios.append(took[True] / took[False])
            steps.append(took[False] / TURN)
    return ratios, steps, _same_bits(*trained)


def _same_bits(ours: Any, theirs: Any) -> bool:
    leaves = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    return all(a.tobytes() == b.tobytes() for a, b in leaves)


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
        f"{pairs} pairs of {TURN} steps, plain step "
        f"{1000 * statistics.median(step for _, step, _ in found):.2f} ms), trained weights "
        f"{'equal bit for bit' if all(same for *_, same in found) else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
