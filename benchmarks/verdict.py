"""How soon a check answers, when a training parts at step 10 of 5,000.

A check of two runs, against one plain run that is over after step 10: pairs in turn, each a whole
process with its start-up. Each uses one thread unless OMP_NUM_THREADS and NPROC say otherwise, as
two runs side by side would fight for the cores of a small machine. Two plain runs side by side are
timed too: that much of the ratio is the machine's.

    python benchmarks/verdict.py [PAIRS] [FRAMEWORK]     torch, tensorflow, jax or flax
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import seedproof

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NPROC", "1")
PARTS_AT, STEPS = 10, 5000
COMMON = f"""
import os, sys
import numpy as np
steps = int(sys.argv[1]) if len(sys.argv) > 1 else {STEPS}
generator = np.random.RandomState(0)
images = generator.rand(steps % 64 + 64, 256).astype("float32")
labels = generator.randint(0, 10, len(images))

def batch(step):
    part = images.copy()
    if step == {PARTS_AT}:
        part[0, 0] = np.frombuffer(os.urandom(2), np.uint16)[0] / 65536
    return part
"""
TRAININGS = {
    "torch": """
import torch
torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Linear(256, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
optimizer = torch.optim.SGD(model.parameters(), 0.01)
for step in range(steps):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(
        model(torch.from_numpy(batch(step))), torch.from_numpy(labels))
    loss.backward()
    optimizer.step()
""",
    "tensorflow": """
from tensorflow import keras
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.layers.Input((256,)), keras.layers.Dense(512, "relu"), keras.layers.Dense(10)])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
for step in range(steps):
    model.train_on_batch(batch(step), labels)
""",
    "jax": """
import jax, jax.numpy as jnp
weights = [generator.randn(256, 512).astype("float32") / 16,
           generator.randn(512, 10).astype("float32") / 16]
def loss(weights, images):
    logits = jax.nn.relu(images @ weights[0]) @ weights[1]
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels])
@jax.jit
def train_step(weights, images):
    value, gradients = jax.value_and_grad(loss)(weights, images)
    return [w - 0.01 * g for w, g in zip(weights, gradients)], value
for step in range(steps):
    weights, value = train_step(weights, batch(step))
""",
    "flax": """
import jax, optax
from flax import nnx
class Network(nnx.Module):
    def __init__(self, rngs):
        self.hidden, self.out = nnx.Linear(256, 512, rngs=rngs), nnx.Linear(512, 10, rngs=rngs)
    def __call__(self, images):
        return self.out(nnx.relu(self.hidden(images)))
model = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.sgd(0.01), wrt=nnx.Param)
def loss(model, images, labels):
    return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()
@nnx.jit
def train_step(model, optimizer, images, labels):
    value, gradients = nnx.value_and_grad(loss)(model, images, labels)
    optimizer.update(model, gradients)
    return value
for step in range(steps):
    value = train_step(model, optimizer, batch(step), labels)
""",
}


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    chosen = sys.argv[2:] or list(TRAININGS)
    # As pip leaves a package, whatever PYTHONDONTWRITEBYTECODE says here.
    compileall.compile_dir(Path(seedproof.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as place:
        for framework in chosen:
            script = Path(place) / f"{framework}_training.py"
            script.write_text(COMMON + TRAININGS[framework])
            checked_seconds(script)  # files come into memory
            ratios, doubled = [], []
            for _ in range(pairs):
                plain = plain_seconds(script)
                ratios.append(checked_seconds(script) / plain)
                doubled.append(two_plain_seconds(script) / plain)
            print(
                f"{framework}: a check of 2 runs that part at step {PARTS_AT} of {STEPS} takes "
                f"{statistics.median(ratios):.2f} times a plain run of {PARTS_AT + 1} steps "
                f"({min(ratios):.2f} to {max(ratios):.2f} in {pairs} pairs); two plain runs at "
                f"the same time take {statistics.median(doubled):.2f} times one"
            )


def plain_seconds(script: Path) -> float:
    """One plain run that is over after the step at which they part."""
    return _seconds(_plain(script), script.parent, 0)[0]


def two_plain_seconds(script: Path) -> float:
    """Two such runs at the same time, until both are over."""
    began = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    runs = [subprocess.Popen(_plain(script), cwd=script.parent, **quiet) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    return time.perf_counter() - began


def _plain(script: Path) -> list[str]:
    return [sys.executable, str(script), str(PARTS_AT + 1)]


def checked_seconds(script: Path) -> float:
    """A check, to its verdict; it must be the right one."""
    command = ["check", "--python", sys.executable, "--runs", "2", "--json", "-", script.name]
    seconds, out = _seconds([sys.executable, "-m", "seedproof", *command], script.parent, 1)
    assert json.loads(out)["arms"][0]["divergence"]["step"] == PARTS_AT
    return seconds


def _seconds(command: list[str], directory: Path, status: int) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert done.returncode == status, done.stderr
    return seconds, done.stdout


if __name__ == "__main__":
    main()
