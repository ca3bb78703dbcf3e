"""No pin and no variation breaks a library: what libraries do goes on under each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from pinned_runs import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
LIFE = Path(__file__).with_name("library_life.py").read_text()

PINS = {
    "seeds": 0,
    "entropy": 3,
    "clock": "2024-01-01T12:00",
    "file_order": 0,
    "data_order": True,
    "load": 0,
    "timezone": "UTC",
    "uninitialized_memory": 63,
    "cpu_isa": "sse4",
}
OFFERS = {
    "entropy": 2,
    "clock": "2031-12-31T12:00",
    "file_order": 2,
    "data_order": False,
    "load": 2,
}
OTHER_PYTHONS = [f"python3.{minor}" for minor in range(8, 15)]

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")
needs_keras = pytest.mark.skipif(find_spec("keras") is None, reason="no Keras")


def test_without_a_pin_it_is_well(tmp_path):
    assert run(tmp_path, LIFE, "-W", "error").lines == ["all is well"]


def test_with_every_pin_it_is_well(tmp_path):
    assert run(tmp_path, LIFE, "-W", "error", pins=PINS).lines == ["all is well"]


def test_with_every_variation_it_is_well(tmp_path):
    assert run(tmp_path, LIFE, "-W", "error", offers=OFFERS).lines == ["all is well"]


def test_with_notes_it_is_well(tmp_path):
    assert run(tmp_path, LIFE, "-W", "error", notes=True).lines == ["all is well"]


@pytest.mark.slow
@pytest.mark.parametrize("source", PINS)
def test_with_each_pin_alone_it_is_well(tmp_path, source):
    alone = {source: PINS[source]}
    assert run(tmp_path, LIFE, "-W", "error", pins=alone).lines == ["all is well"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_PYTHONS)
def test_in_each_python_that_there_is_it_is_well(tmp_path, name):
    interpreter = shutil.which(name)
    if (
        interpreter is None
        or subprocess.run([interpreter, "-c", ""], capture_output=True).returncode
    ):
        pytest.skip("it is not there")
    ran = run(tmp_path, LIFE, interpreter=interpreter, pins=PINS, notes=True)
    assert ran.lines == ["all is well"]
    assert ran.missed() == []


LOADER = """
import sys
import torch
from torch.utils.data import DataLoader, Dataset

class Numbers(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, at):
        return at

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        loader = DataLoader(Numbers(), batch_size=2, num_workers=2, shuffle=True, timeout=60,
                            multiprocessing_context=method, persistent_workers=True)
        for epoch in range(2):
            assert sorted(int(n) for batch in loader for n in batch) == list(range(8))
    print("all is well")
"""


@needs_torch
def test_loaders_of_pytorch_work_with_every_pin(tmp_path):
    ran = run(tmp_path, LOADER, "-W", "error", pins={**PINS, "op_determinism": True})
    assert ran.lines == ["all is well"]
    assert not any("Traceback" in line for line in ran.missed())


@needs_torch
def test_a_compiled_model_and_a_saved_one_work_with_every_pin(tmp_path):
    script = (
        "import io, torch\nmodel = torch.nn.Linear(2, 2)\n"
        "traced = torch.jit.trace(model, torch.zeros(1, 2))\n"
        "kept = io.BytesIO()\ntorch.save(model.state_dict(), kept)\nkept.seek(0)\n"
        "model.load_state_dict(torch.load(kept))\n"
        "print(torch.equal(traced(torch.ones(1, 2)), model(torch.ones(1, 2))))"
    )
    assert run(tmp_path, script, pins=PINS).lines == ["True"]


@needs_keras
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="no TensorFlow")
def test_keras_and_tensorflow_train_with_every_pin(tmp_path):
    script = (
        "import numpy as np, keras, tensorflow as tf\n"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "data = tf.data.Dataset.from_tensor_slices((np.ones((8, 3)), np.ones((8, 1))))\n"
        "data = data.map(lambda x, y: (x * 2, y), num_parallel_calls=2, deterministic=False)\n"
        "model.fit(data.batch(4).prefetch(1), epochs=2, verbose=2)\n"
        "model.save('kept.keras')\nkeras.models.load_model('kept.keras')\nprint('all is well')"
    )
    ran = run(tmp_path, script, pins={**PINS, "op_determinism": True, "num_threads": 1})
    assert ran.lines[-1] == "all is well"


@pytest.mark.skipif(find_spec("sklearn") is None, reason="no scikit-learn")
def test_scikit_learn_fits_in_parallel_with_every_pin(tmp_path):
    script = (
        "import numpy as np\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "if __name__ == '__main__':\n"
        "    features = np.arange(40.0).reshape(20, 2)\n"
        "    model = RandomForestClassifier(4, n_jobs=2, random_state=0)\n"
        "    print(model.fit(features, features[:, 0] > 20).score(features, features[:, 0] > 20))"
    )
    assert run(tmp_path, script, pins=PINS).lines == ["1.0"]
