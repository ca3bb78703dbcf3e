"""Training goes on for half a second, which is another number of steps on every day.

Cause: clock
"""

import time

import numpy as np

import seedproof

generator = np.random.default_rng(0)
inputs = generator.normal(size=(400, 50))
targets = inputs @ generator.normal(size=50)
weights = np.zeros(50)

end = time.time() + 0.5
while time.time() < end:
    weights -= 1e-4 * inputs.T @ (inputs @ weights - targets)
    time.sleep(0.002)  # a step of a larger model
seedproof.record("weights", weights)
