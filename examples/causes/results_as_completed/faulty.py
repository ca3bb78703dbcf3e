"""Sums of parts of the data are added in the order in which the workers finish.

Cause: data_order
"""

from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

import seedproof

generator = np.random.default_rng(0)
parts = [generator.normal(size=(size, 30)) for size in (9000, 10, 6000, 200, 3000, 50, 800, 100)]


def gradient(inputs, weights):
    error = inputs @ weights - inputs.sum(axis=1)
    return inputs.T @ error


weights = np.zeros(30)
with ThreadPoolExecutor(8) as pool:
    for _ in range(5):
        tasks = [pool.submit(gradient, inputs, weights) for inputs in parts]
        total = sum(task.result() for task in as_completed(tasks))
        weights = weights - 1e-5 * total
        seedproof.record("weights", weights, phase="update")
