"""The arms of the demo train the very weights that a plain script trains with the same settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import Command, environment, needs_tensorflow
from seedproof.compare.distance import kept_array
from seedproof.trace.reader import main_stream

pytest.importorskip("sklearn")
pytestmark = needs_tensorflow

PLAIN = Path(__file__).with_name("plain_cross_validation.py")
SMALL = ("--folds", "2", "--epochs", "2", "--samples", "300", "--batch-size", "50")


def plain_weights(options: str, output: Path) -> list[bytes]:
    """The weights after each fold of the plain script."""
    variables = environment(PYTHONHASHSEED="0")
    subprocess.run(
        [sys.executable, str(PLAIN), options, str(output)], env=variables, check=True, timeout=300
    )
    with np.load(output) as arrays:
        return [arrays[name].tobytes() for name in arrays.files]


def arm_weights(seedproof: Command, policy: str) -> list[list[bytes]]:
    """The same of each run of a check."""
    result = seedproof.check(
        *("--policy", policy, "--runs", "2", "-m", "seedproof.experiments.mnist_cv", *SMALL)
    )
    assert result["verdict"] == "identical"
    (check,) = (seedproof.directory / ".seedproof" / "checks").iterdir()
    return [kept_weights(check / policy / str(index) / "trace") for index in (0, 1)]


def kept_weights(trace: Path) -> list[bytes]:
    stream = main_stream(trace)
    stream.refresh()
    kept = [event for event in stream.all("value") if "/weights/" in event["name"]]
    return [kept_array(stream, event).tobytes() for event in kept]


@pytest.mark.parametrize(("policy", "options"), [("deterministic", "with"), ("seeded", "without")])
def test_an_arm_trains_the_weights_of_a_plain_script(policy, options, seedproof, tmp_path):
    plain = plain_weights(options, tmp_path / "plain.npz")
    assert len(plain) == 16
    for weights in arm_weights(seedproof, policy):
        assert weights == plain


def test_another_seed_would_be_seen(seedproof, tmp_path):
    """The twin: the same comparison with one thing changed must fail."""
    other = tmp_path / "other.py"
    other.write_text(PLAIN.read_text().replace("tf.random.set_seed(0)", "tf.random.set_seed(1)"))
    subprocess.run(
        [sys.executable, str(other), "with", str(tmp_path / "other.npz")],
        env=environment(PYTHONHASHSEED="0"),
        check=True,
        timeout=300,
    )
    with np.load(tmp_path / "other.npz") as arrays:
        changed = [arrays[name].tobytes() for name in arrays.files]
    assert changed != plain_weights("with", tmp_path / "plain.npz")
