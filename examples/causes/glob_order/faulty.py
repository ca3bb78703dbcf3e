"""A model is trained on files as glob finds them: here always alike, after a copy otherwise.

Cause: file_order (where it is varied)
"""

from pathlib import Path

import numpy as np

import seedproof

generator = np.random.default_rng(0)
parts = Path("parts")
if not parts.exists():
    parts.mkdir()
    for at in range(12):
        np.save(parts / f"part{at}.npy", generator.normal(loc=at, size=(10, 5)))

weights = np.zeros(5)
for path in parts.glob("*.npy"):
    batch = np.load(path)
    target = batch.sum(axis=1)
    weights -= 0.001 * batch.T @ (batch @ weights - target)
    seedproof.record("weights", weights, phase="update")
