"""Examples are kept in a set of objects, which orders them by their addresses, and so by chance.

Cause: aslr
"""

import numpy as np

import seedproof


class Example:
    """What is known of one house."""

    def __init__(self, at):
        self.values = np.random.default_rng(at).normal(size=5)
        self.price = self.values.sum()


examples = {Example(at) for at in range(20000)}
weights = np.zeros(5)
for example in examples:
    weights -= 0.001 * (example.values @ weights - example.price) * example.values
seedproof.record("weights", weights)
