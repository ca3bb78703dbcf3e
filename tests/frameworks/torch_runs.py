"""Runs of a script of styles with PyTorch, each in a process of its own, recorded or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from keras_runs import Trained

from conftest import environment
from seedproof.trace.reader import main_stream
from traces import BOOTSTRAP


class Trainings:
    """Trains once in each way that is asked for: `script STYLE SEED OUTPUT`."""

    def __init__(self, script: str, place: Path, **variables: str) -> None:
        self._script = Path(__file__).with_name(script)
        self._place = place
        self._variables = variables
        self._known: dict[tuple, Trained] = {}

    def plain(self, style: str, seed: int = 0) -> Trained:
        """A training that nobody looks at."""
        return self._once((style, seed), None)

    def recorded(self, style: str, seed: int = 0, **launch: object) -> Trained:
        """A recorded one; `launch` says how far, and how."""
        return self._once((style, seed, *sorted(launch.items())), launch)

    def _once(self, key: tuple, launch: dict[str, object] | None) -> Trained:
        key = (*key, launch is None)
        if key not in self._known:
            place = self._place / str(len(self._known))
            place.mkdir()
            self._known[key] = self._train(key[0], key[1], place, launch)
        return self._known[key]

    def _train(
        self, style: str, seed: int, place: Path, launch: dict[str, object] | None
    ) -> Trained:
        recording = {}
        if launch is not None:
            launched = {"pins": {}, "inside_environment": {}, **launch}
            (place / "launch.json").write_text(json.dumps(launched))
            recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": str(place)}
        output = place / "left.npz"
        done = subprocess.run(
            [sys.executable, str(self._script), style, str(seed), str(output)],
            env=environment(PYTHONHASHSEED="0", **self._variables, **recording),
            cwd=place,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        stream = None
        if launch is not None:
            stream = main_stream(place / "trace")
            stream.refresh()
            assert [trouble["error"] for trouble in stream.all("trouble")] == []
        return Trained(_arrays(output), stream)


def _arrays(output: Path) -> list[np.ndarray]:
    """What the script left; nothing where its run was ended before."""
    if not output.exists():
        return []
    with np.load(output) as arrays:
        return [arrays[name] for name in arrays.files]
