"""Runs of the styles in `keras_styles.py`, each in a process of its own, recorded or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conftest import environment
from seedproof.compare.distance import kept_array
from seedproof.trace.reader import Stream, main_stream
from traces import BOOTSTRAP, rows_of

STYLES = Path(__file__).with_name("keras_styles.py")
ONE_THREAD = {f"TF_NUM_{kind}_THREADS": "1" for kind in ("INTRAOP", "INTEROP")}


@dataclass(frozen=True)
class Trained:
    """The variables after a training, and its trace where it was recorded."""

    variables: list[np.ndarray]
    stream: Stream | None

    def rows(self, key: str) -> list[tuple[int, ...]]:
        """The rows of a table: the step, then the words."""
        return rows_of(self.stream, key)

    def steps(self, key: str) -> list[int]:
        """The steps to which the rows of a table belong."""
        return [row[0] for row in self.rows(key)]

    def names(self, key: str, phase: str = "") -> list[str]:
        """The columns of a table, or those of one phase."""
        return [c.name for c in self.stream.tables[key].columns if phase in (c.phase, "")]

    def words(self, key: str, phase: str) -> list[list[int]]:
        """Of every row of a table, the words of one phase."""
        columns = [at for at, c in enumerate(self.stream.tables[key].columns) if c.phase == phase]
        return [[row[1 + at] for at in columns] for row in self.rows(key)]

    def kept(self, phase: str) -> list[np.ndarray]:
        """The arrays that were kept in one phase."""
        events = [event for event in self.stream.all("value") if event["phase"] == phase]
        return [kept_array(self.stream, event) for event in events]


class Trainings:
    """Trains once in each way that is asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._known: dict[tuple, Trained] = {}

    def plain(self, style: str, seed: int = 0) -> Trained:
        """A training that nobody looks at."""
        return self._once((style, seed), lambda place: Trained(train(style, seed, place), None))

    def recorded(self, style: str, seed: int = 0, **launch: object) -> Trained:
        """A recorded one; `launch` says how far, and how."""
        key = ("recorded", style, seed, *sorted(launch.items()))
        return self._once(key, lambda place: record(style, seed, place, launch))

    def _once(self, key, make) -> Trained:
        if key not in self._known:
            place = self._place / str(len(self._known))
            place.mkdir()
            self._known[key] = make(place)
        return self._known[key]


def record(style: str, seed: int, place: Path, launch: dict[str, object]) -> Trained:
    launched = {"pins": {}, "inside_environment": {}, **launch}
    (place / "launch.json").write_text(json.dumps(launched))
    recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": str(place)}
    variables = train(style, seed, place, **recording)
    stream = main_stream(place / "trace")
    stream.refresh()
    assert [trouble["error"] for trouble in stream.all("trouble")] == []
    return Trained(variables, stream)


def train(style: str, seed: int, place: Path, **variables: str) -> list[np.ndarray]:
    """The variables in the end; none of a run that was ended before."""
    output = place / "variables.npz"
    done = subprocess.run(
        [sys.executable, str(STYLES), style, str(seed), str(output)],
        env=environment(PYTHONHASHSEED="0", **ONE_THREAD, **variables),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if not output.exists():
        return []
    with np.load(output) as arrays:
        return [arrays[name] for name in arrays.files]


def by_graph(array: np.ndarray) -> int:
    """The digest that TensorFlow's graphs make of it."""
    import tensorflow as tf

    from seedproof.frameworks.tensorflow.graph import digest

    return int(digest(tf.constant(array))) % 2**64


def same_bits(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    """Whether arrays are the same to the last bit."""
    return [(a.dtype, a.shape, a.tobytes()) for a in ours] == [
        (b.dtype, b.shape, b.tobytes()) for b in theirs
    ]
