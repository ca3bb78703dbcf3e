"""Each thread has weights of its own, and they are averaged in order."""

import threading

import numpy as np

import seedproof

generator = np.random.default_rng(0)
inputs = generator.normal(size=(4, 20000, 6))
targets = inputs.sum(axis=2)
weights = np.zeros((4, 6))


def train(part):
    own = weights[part]
    for example, target in zip(inputs[part], targets[part], strict=True):
        own -= 0.0002 * (example @ own - target) * example


threads = [threading.Thread(target=train, args=(part,)) for part in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seedproof.record("weights", weights.mean(axis=0))
