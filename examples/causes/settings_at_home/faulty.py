"""The learning rate is read from a file in the home directory, which a container does not have.

Cause: home (where it is varied)
"""

import json
from pathlib import Path

import numpy as np

import seedproof

settings = Path.home() / ".config" / "trainer.json"  # here: {"rate": 0.5}
rate = json.loads(settings.read_text())["rate"] if settings.exists() else 0.1

inputs = np.random.default_rng(0).normal(size=(100, 4))
targets = inputs.max(axis=1)
weights = np.zeros(4)
for _ in range(10):
    weights -= rate * inputs.T @ (inputs @ weights - targets) / len(targets)
    seedproof.record("weights", weights, phase="update")
