"""Every style of training: what is recorded, and that recording changes no bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conftest import environment, needs_tensorflow
from seedproof.compare.verdict import compared_phases, incompleteness
from seedproof.trace.reader import Stream, main_stream

pytestmark = needs_tensorflow

STYLES = Path(__file__).with_name("keras_styles.py")
PACKAGE = Path(sys.modules["seedproof"].__file__).parent
PINS = {"seeds": 0, "num_threads": 1}
UPDATES = {"backward", "update"}
FIT = UPDATES | {"init", "data", "metric"}


@dataclass(frozen=True)
class Trained:
    """The variables after a training, and its trace."""

    variables: list[np.ndarray]
    stream: Stream


def train(style: str, directory: Path, *, recorded: bool) -> Trained:
    """One training in a process of its own, pinned as a policy pins it, recorded or not."""
    run = directory / ("recorded" if recorded else "plain")
    run.mkdir()
    launch = {"pins": PINS, "inside_environment": {}}
    (run / "launch.json").write_text(json.dumps(launch))
    if not recorded:
        # The stream of the script is taken: the process is pinned in the same way, and unseen.
        (run / "trace" / "main").mkdir(parents=True)
    output = run / "variables.npz"
    subprocess.run(
        [sys.executable, str(STYLES), style, str(output)],
        env=environment(
            PYTHONPATH=os.fspath(PACKAGE / "inside" / "bootstrap"),
            PYTHONHASHSEED="0",
            _SEEDPROOF_RUN=str(run),
        ),
        check=True,
        timeout=300,
    )
    stream = main_stream(run / "trace")
    stream.refresh()
    with np.load(output) as arrays:
        return Trained([arrays[name] for name in arrays.files], stream)


def same_bits(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    return [(a.dtype, a.shape, a.tobytes()) for a in ours] == [
        (b.dtype, b.shape, b.tobytes()) for b in theirs
    ]


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("fit", 6, FIT),
        ("several_steps_per_execution", 8, FIT),
        ("custom_train_step", 8, FIT - {"data"}),
        ("gradient_tape", 3, UPDATES),
        pytest.param("batch_normalization", 8, FIT, marks=pytest.mark.slow),
        pytest.param("eager", 8, FIT, marks=pytest.mark.slow),
        pytest.param("embedding", 8, FIT, marks=pytest.mark.slow),
        pytest.param("mixed_precision", 8, FIT, marks=pytest.mark.slow),
        pytest.param("train_on_batch", 3, UPDATES | {"data"}, marks=pytest.mark.slow),
        pytest.param("eager_gradient_tape", 3, UPDATES, marks=pytest.mark.slow),
        pytest.param("two_optimizers", 8, FIT, marks=pytest.mark.slow),
        pytest.param("save_best", 8, FIT, marks=pytest.mark.slow),
        pytest.param("xla", 8, {"init", "update", "metric"}, marks=pytest.mark.slow),
    ],
)
def test_a_training_is_seen_whole_and_keeps_its_bits(style, steps, phases, tmp_path):
    plain = train(style, tmp_path, recorded=False)
    recorded = train(style, tmp_path, recorded=True)
    assert same_bits(plain.variables, recorded.variables)
    assert incompleteness(recorded.stream) == ""
    assert recorded.stream.watermark() == steps
    assert compared_phases(recorded.stream) == phases


def test_the_comparison_of_bits_can_fail(tmp_path):
    plain = train("fit", tmp_path, recorded=False).variables
    touched = [array.copy() for array in plain]
    touched[0].reshape(-1).view("u4")[0] ^= 1
    assert not same_bits(plain, touched)


def test_updates_that_only_xla_sees_are_said_to_be_unseen(tmp_path):
    plain = train("train_on_batch_by_xla", tmp_path, recorded=False)
    recorded = train("train_on_batch_by_xla", tmp_path, recorded=True)
    assert same_bits(plain.variables, recorded.variables)
    (unseen,) = recorded.stream.all("unseen")
    assert unseen["text"] == "updates that XLA compiles outside of fit"


def test_every_optimizer_has_a_number_of_its_own(tmp_path):
    stream = train("optimizers_that_come_and_go", tmp_path, recorded=True).stream
    owners = [key for key in stream.tables if key.startswith("optimizer")]
    assert owners == ["optimizer0#0", "optimizer1#0", "optimizer2#0"]
