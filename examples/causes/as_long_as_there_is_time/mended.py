"""Training goes on for a number of steps."""

import time

import numpy as np

import seedproof

generator = np.random.default_rng(0)
inputs = generator.normal(size=(400, 50))
targets = inputs @ generator.normal(size=50)
weights = np.zeros(50)

for _ in range(200):
    weights -= 1e-4 * inputs.T @ (inputs @ weights - targets)
    time.sleep(0.002)  # a step of a larger model
seedproof.record("weights", weights)
