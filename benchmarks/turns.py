"""Equal trainings in one process that make a few steps each, in turn, so that all of them meet the
machine in the same state: one plain, one recorded, and one more plain.

Each turn gives one ratio for the recorded one, and one for the twin, which shows the machine's own
noise. How long a step is in comparison with what is digested is told in passes over these bytes,
which are in memory and not in the caches.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from intervals import interval

WARM_UP_STEPS, TURN = 5, 20
MEMORY = 1 << 28  # bytes: more than the caches keep
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


class Training(Protocol):
    """One network, trained in the way in which it was observed when it was made."""

    def begin_turn(self) -> None:
        """Has the framework observed as it was."""

    def step(self) -> float:
        """One step, in seconds of the processor."""

    def digested_bytes(self) -> int:
        """Of one step: the batch, the gradients and the weights."""

    def trained(self) -> list[bytes]:
        """The bits of its weights."""


class Observing:
    """All that observers have put into a framework, to be taken out and put back: `patched` are
    owners with names of their attributes, `hooks` tables of hooks."""

    def __init__(
        self, patched: Sequence[tuple[Any, str]], hooks: Sequence[dict[Any, Any]] = ()
    ) -> None:
        self._patches = [(owner, name, getattr(owner, name)) for owner, name in patched]
        self._hooks = [(table, dict(table)) for table in hooks]

    def restore(self) -> None:
        for owner, name, patch in self._patches:
            setattr(owner, name, patch)
        for table, kept in self._hooks:
            table.clear()
            table.update(kept)


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

    def __str__(self) -> str:
        same = "equal bit for bit" if self.same_bits else "DIFFER"
        step = statistics.median(self.steps)
        return (
            f"{self.title}: {_median(self.ratios)} times the plain step; a plain twin "
            f"{_median(self.twin)}; {len(self.ratios)} turns of {TURN} steps of "
            f"{1000 * step:.2f} ms: {step / self.one_pass:.0f} passes; trained weights {same}"
        )


def compare(title: str, trainings: Sequence[Training], turns: int) -> Cost:
    """The cost of recording, from the plain, the recorded and the other plain training."""
    took = [_turns(trainings, turn) for turn in range(turns)]
    weights = [training.trained() for training in trainings]
    return Cost(
        title,
        ratios=[recorded / plain for plain, recorded, _ in took],
        twin=[twin / plain for plain, _, twin in took],
        steps=[plain / TURN for plain, _, _ in took],
        one_pass=_one_pass(trainings[0].digested_bytes()),
        same_bits=all(one == weights[0] for one in weights),
    )


def turn(training: Training) -> float:
    """A few steps, in seconds of the processor; the first ones find nothing in the caches of
    processor and interpreter, and do not count."""
    training.begin_turn()
    seconds = [training.step() for _ in range(WARM_UP_STEPS + TURN)]
    return sum(seconds[WARM_UP_STEPS:])


def keep_memory() -> None:
    """Has glibc keep what is freed: else it now and then returns large arrays to the system, and
    each step asks for them anew, in one of two trainings and not in the other."""
    if sys.platform == "linux":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 30)
        mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def _turns(trainings: Sequence[Training], number: int) -> list[float]:
    """A turn of each, in another order each time; the seconds of each."""
    first = number % len(trainings)
    order = [*range(first, len(trainings)), *range(first)]
    seconds = {at: turn(trainings[at]) for at in order}
    return [seconds[at] for at in range(len(trainings))]


def _one_pass(size: int) -> float:
    """The seconds that adding up so many bytes takes, where others were read in between."""
    arrays = [np.ones(size // 8, np.int64) for _ in range(MEMORY // size)]
    seconds = []
    for array in arrays:
        began = time.process_time()
        array.sum()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds)


def _median(ratios: list[float]) -> str:
    """The median, with its 95% interval."""
    low, high = interval(ratios)
    return f"{statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})"
