"""What recording costs with PyTorch: interleaved pairs inside one process, one thread.

Three equal models are trained on the same batches, one plain, one recorded, and one more plain, a
few steps each in turn, so that all meet the machine in the same state. Each turn gives one ratio
for the recorded one, and one for the twin, which shows the machine's own noise. `measure` does so
for the article's network and for two whose steps are long in comparison with what is digested: how
long, is told in passes over these bytes, which are in memory and not in the caches.

    python benchmarks/recording_torch.py [ROUNDS]
"""

from __future__ import annotations

import ctypes
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn
from torch.optim import optimizer as optim
from torch.utils import data

from intervals import interval
from seedproof.frameworks.torch.framework import FRAMEWORK
from seedproof.frameworks.torch.points import Points
from seedproof.inside import recorder
from seedproof.trace.writer import StreamWriter

BATCH = 100
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
WARM_UP_STEPS, TURN = 5, 20
MEMORY = 1 << 28  # bytes: more than the caches keep
PATCHED = (
    (nn.Module, "__call__"),
    (nn.Module, "named_parameters"),
    (torch.autograd, "backward"),
    (data.dataloader._BaseDataLoaderIter, "__next__"),
    (torch.amp.GradScaler, "step"),
)
HOOKS = (optim._global_optimizer_pre_hooks, optim._global_optimizer_post_hooks)


@dataclass(frozen=True)
class Cost:
    """What recording a network costs: ratios of recorded to plain, those of the twin, the plain
    steps' seconds, and those of one pass over what is digested of a step."""

    title: str
    ratios: list[float]
    twin: list[float]
    steps: list[float]
    one_pass: float
    same_bits: bool


class Observing:
    """Everything that the observer has put into PyTorch, to be taken out and put back."""

    def __init__(self) -> None:
        self._patches = [getattr(owner, name) for owner, name in PATCHED]
        self._hooks = [dict(hooks) for hooks in HOOKS]

    def restore(self) -> None:
        for (owner, name), patch in zip(PATCHED, self._patches, strict=True):
            setattr(owner, name, patch)
        for hooks, kept in zip(HOOKS, self._hooks, strict=True):
            hooks.clear()
            hooks.update(kept)


class Training:
    """One network, trained in the way in which PyTorch was observed when it was made."""

    def __init__(self, build: Callable[[], nn.Module], steps: int) -> None:
        self._observing = Observing()
        torch.manual_seed(0)
        images = torch.rand(steps * BATCH, 1, 28, 28)
        labels = torch.randint(0, 10, (steps * BATCH,))
        self._loader = data.DataLoader(data.TensorDataset(images, labels), BATCH, shuffle=True)
        self.network = build()
        self._optimizer = torch.optim.Adam(self.network.parameters())
        self._generator = torch.get_rng_state()
        self._batches = iter(self._loader)
        self.steps_done = 0
        self.turn()

    def turn(self) -> float:
        """A few steps, in seconds of the processor; the first ones find nothing in the caches of
        processor and interpreter, and do not count."""
        self._observing.restore()
        torch.set_rng_state(self._generator)
        seconds = [self._step() for _ in range(WARM_UP_STEPS + TURN)]
        self._generator = torch.get_rng_state()
        return sum(seconds[WARM_UP_STEPS:])

    def digested_bytes(self) -> int:
        """Of one step: the batch, the gradients and the weights."""
        batch = next(iter(self._loader))
        weights = sum(weight.nbytes for weight in self.network.state_dict().values())
        return sum(tensor.nbytes for tensor in batch) + 2 * weights

    def _step(self) -> float:
        if self.steps_done % len(self._loader) == 0:
            self._batches = iter(self._loader)
        self.steps_done += 1
        began = time.process_time()
        images, labels = next(self._batches)
        self._optimizer.zero_grad()
        nn.functional.cross_entropy(self.network(images), labels).backward()
        self._optimizer.step()
        return time.process_time() - began


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
    _keep_memory()
    plain = Observing()
    with tempfile.TemporaryDirectory() as place:
        FRAMEWORK.observe(recorder.begin(StreamWriter(str(Path(place) / "trace" / "main"))))
        observed = Observing()
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
            yield _compare(title, trainings, rounds * steps // TURN)


def _keep_memory() -> None:
    """Has glibc keep what is freed: else it now and then returns large arrays to the system, and
    each step asks for them anew, in one of two trainings and not in the other."""
    if sys.platform == "linux":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 30)
        mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def _compare(title: str, trainings: list[Training], turns: int) -> Cost:
    took = [_turn(trainings, turn) for turn in range(turns)]
    return Cost(
        title,
        ratios=[recorded / plain for plain, recorded, _ in took],
        twin=[twin / plain for plain, _, twin in took],
        steps=[plain / TURN for plain, _, _ in took],
        one_pass=_one_pass(trainings[0].digested_bytes()),
        same_bits=_same_bits(*(training.network for training in trainings)),
    )


def _turn(trainings: list[Training], turn: int) -> list[float]:
    """A few steps of each, in another order each time; the seconds of each."""
    first = turn % len(trainings)
    order = trainings[first:] + trainings[:first]
    seconds = {training: training.turn() for training in order}
    return [seconds[training] for training in trainings]


def _one_pass(size: int) -> float:
    """The seconds that adding up so many bytes takes, where others were read in between."""
    arrays = [torch.ones(size // 8, dtype=torch.int64) for _ in range(MEMORY // size)]
    seconds = []
    for array in arrays:
        began = time.process_time()
        array.sum()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds)


def _same_bits(*networks: nn.Module) -> bool:
    weights = [
        [value.numpy().tobytes() for value in network.state_dict().values()] for network in networks
    ]
    return all(one == weights[0] for one in weights)


def _line(cost: Cost) -> str:
    same = "equal bit for bit" if cost.same_bits else "DIFFER"
    step = statistics.median(cost.steps)
    return (
        f"PyTorch, {cost.title}: {_median(cost.ratios)} times the plain step; a plain twin "
        f"{_median(cost.twin)}; {len(cost.ratios)} turns of {TURN} steps of {1000 * step:.2f} ms: "
        f"{step / cost.one_pass:.0f} passes; trained weights {same}"
    )


def _median(ratios: list[float]) -> str:
    """The median, with its 95% interval."""
    low, high = interval(ratios)
    return f"{statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    for cost in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 12):
        print(_line(cost), flush=True)


if __name__ == "__main__":
    main()
