"""The learning rate stands in the script."""

import numpy as np

import seedproof

rate = 0.5

inputs = np.random.default_rng(0).normal(size=(100, 4))
targets = inputs.max(axis=1)
weights = np.zeros(4)
for _ in range(10):
    weights -= rate * inputs.T @ (inputs @ weights - targets) / len(targets)
    seedproof.record("weights", weights, phase="update")
