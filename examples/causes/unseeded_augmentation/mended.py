"""The generator gets a seed."""

import numpy as np

import seedproof

inputs = np.linspace(-1, 1, 50)[:, None] ** np.arange(4)
targets = np.sin(3 * inputs[:, 1])
noise = np.random.default_rng(0)

weights = np.zeros(4)
for _ in range(30):
    noisy = inputs + noise.normal(scale=0.05, size=inputs.shape)
    weights -= 0.1 * noisy.T @ (noisy @ weights - targets) / len(targets)
    seedproof.record("weights", weights, phase="update")
