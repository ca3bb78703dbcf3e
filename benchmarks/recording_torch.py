"""What recording costs with PyTorch: interleaved pairs inside one process, one thread.

Turns (see `turns`) of the article's network and of two whose steps are long in comparison with what
is digested.

    python benchmarks/recording_torch.py [ROUNDS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn
from torch.optim import optimizer as optim
from torch.utils import data

from seedproof.frameworks.torch.framework import FRAMEWORK
from seedproof.frameworks.torch.points import Points
from seedproof.inside import recorder
from seedproof.trace.writer import StreamWriter
from turns import TURN, Cost, Observing, compare, keep_memory, turn

BATCH = 100
PATCHED = (
    (nn.Module, "__call__"),
    (nn.Module, "named_parameters"),
    (torch.autograd, "backward"),
    (data.dataloader._BaseDataLoaderIter, "__next__"),
    (torch.amp.GradScaler, "step"),
)
HOOKS = (optim._global_optimizer_pre_hooks, optim._global_optimizer_post_hooks)


class Training:
    """One network, trained in the way in which PyTorch was observed when it was made."""

    def __init__(self, build: Callable[[], nn.Module], steps: int) -> None:
        self._observing = Observing(PATCHED, HOOKS)
        torch.manual_seed(0)
        images = torch.rand(steps * BATCH, 1, 28, 28)
        labels = torch.randint(0, 10, (steps * BATCH,))
        self._loader = data.DataLoader(data.TensorDataset(images, labels), BATCH, shuffle=True)
        self.network = build()
        self._optimizer = torch.optim.Adam(self.network.parameters())
        self._generator = torch.get_rng_state()
        self._batches = iter(self._loader)
        self._steps_done = 0
        turn(self)

    def begin_turn(self) -> None:
        """Puts back how PyTorch is observed."""
        self._observing.restore()

    def digested_bytes(self) -> int:
        """Of one step: the batch, the gradients and the weights."""
        batch = next(iter(self._loader))
        weights = sum(weight.nbytes for weight in self.network.state_dict().values())
        return sum(tensor.nbytes for tensor in batch) + 2 * weights

    def trained(self) -> list[bytes]:
        """The bits of all that the network holds."""
        return [value.numpy().tobytes() for value in self.network.state_dict().values()]

    def step(self) -> float:
        """One step, in seconds of the processor."""
        torch.set_rng_state(self._generator)
        if self._steps_done % len(self._loader) == 0:
            self._batches = iter(self._loader)
        self._steps_done += 1
        began = time.process_time()
        images, labels = next(self._batches)
        self._optimizer.zero_grad()
        nn.functional.cross_entropy(self.network(images), labels).backward()
        self._optimizer.step()
        took = time.process_time() - began
        self._generator = torch.get_rng_state()
        return took


def article_network() -> nn.Module:
    """The layers of the article's network."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 10),
    )  # fmt: skip


def long_steps() -> nn.Module:
    """Few weights, much used."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3200, 10),
    )  # fmt: skip


def longer_steps() -> nn.Module:
    """As long as steps usually are where training takes more than minutes, and more weights."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6400, 256), nn.ReLU(),
        nn.Linear(256, 10),
    )  # fmt: skip


def measure(rounds: int) -> Iterator[Cost]:
    """The cost for each network, from so many rounds of all its batches."""
    torch.set_num_threads(1)
    keep_memory()
    plain = Observing(PATCHED, HOOKS)
    with tempfile.TemporaryDirectory() as place:
        FRAMEWORK.observe(recorder.begin(StreamWriter(str(Path(place) / "trace" / "main"))))
        observed = Observing(PATCHED, HOOKS)
        for title, build, steps in (
            ("the article's network", article_network, 200),
            ("a network of long steps", long_steps, 40),
            ("a network of longer steps", longer_steps, 20),
            ("the article's network, states at every step too", article_network, 200),
        ):
            if "states" in title:  # of the optimizer and the generators, else at points only
                Points.are_at = lambda _self, _step: True  # type: ignore[method-assign]
            trainings = []
            for observing in (plain, observed, plain):
                observing.restore()
                trainings.append(Training(build, steps))
            yield compare(f"PyTorch, {title}", trainings, rounds * steps // TURN)


def main() -> None:
    for cost in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 12):
        print(cost, flush=True)


if __name__ == "__main__":
    main()
