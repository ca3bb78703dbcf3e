"""What several tests share: the command line in a process of its own, and small real scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seedproof.trace import compiled, sums

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="no TensorFlow")

KERAS_SCRIPT = """
import sys
import numpy as np
from tensorflow import keras

generator = np.random.RandomState(7)
images = generator.rand(330, 28, 28)
labels = generator.randint(0, 10, 330)
layers = keras.layers
model = keras.Sequential([
    layers.Input((28, 28)), layers.Reshape((28, 28, 1)), layers.Conv2D(8, 3, activation="relu"),
    layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(32, activation="relu"),
    layers.Dropout(0.2), layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, batch_size=100, epochs=2, verbose=0, validation_split=0.2)
np.savez(sys.argv[1], *model.get_weights())
"""


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """`seedproof` in a process of its own, in a directory of its own."""

    directory: Path

    def __call__(self, *arguments: str, **variables: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "seedproof", *arguments],
            cwd=self.directory,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def check(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """A check's JSON, with the status that the process really had."""
        done = self("check", "--python", sys.executable, "--json", "-", *arguments, **variables)
        try:
            result: dict[str, Any] = json.loads(done.out)
        except ValueError:
            raise AssertionError(f"status {done.status}: {done.err}") from None
        assert result["exit"] == done.status
        return result


def environment(**variables: str) -> dict[str, str]:
    """This environment without what would speak for the user, and without the places that PyTorch
    gives its compilers in a process that has imported it: each run of a check has its own."""
    left_out = ("SEEDPROOF_", "_SEEDPROOF", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return {**kept, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}


# Each of their tests trains in several processes; `./run_tests.sh --all` has them.
TRAINING_FOR_LONG = (
    "test_controls_of_trainings.py",
    "test_keras_on_jax.py",
    "test_keras_on_torch.py",
    "test_steps_of_trainings.py",
    "test_tensorflow_pins.py",
    "test_torch_compiled.py",
    "test_torch_pins.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them slow."""
    for item in items:
        if item.path.name in TRAINING_FOR_LONG:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def seedproof(tmp_path: Path) -> Command:
    """The command line."""
    return Command(tmp_path)


@pytest.fixture
def script(tmp_path: Path):
    """Writes a script and returns its name."""

    def write(text: str, name: str = "train.py") -> str:
        (tmp_path / name).write_text(text)
        return name

    return write


@pytest.fixture(params=["compiled", "NumPy"])
def arithmetic(request, monkeypatch):
    """Digests by compiled code, and as they are where no compiler was at hand."""
    if request.param == "NumPy":
        monkeypatch.setattr(sums, "_is_right", lambda: False)
    elif compiled.function() is None:
        pytest.skip("no C compiler was at hand when this was installed")
