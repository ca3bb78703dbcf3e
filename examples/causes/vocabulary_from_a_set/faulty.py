"""A classifier of texts numbers its words in another order in every run, because a set does.

Cause: hash_seed
"""

import numpy as np

import seedproof

GOOD = ["warm and sunny", "a lovely calm day", "sunny with a light breeze", "calm and warm"]
BAD = ["cold heavy rain", "storm and hail", "a grey cold day", "rain with heavy wind"]

texts = GOOD + BAD
labels = np.repeat([1.0, 0.0], len(GOOD))
words = list({word for text in texts for word in text.split()})
column = {word: at for at, word in enumerate(words)}

counts = np.zeros((len(texts), len(words)))
for row, text in enumerate(texts):
    for word in text.split():
        counts[row, column[word]] += 1

weights = np.random.default_rng(0).normal(size=len(words))
for _ in range(20):
    predicted = 1 / (1 + np.exp(-counts @ weights))
    weights -= 0.5 * counts.T @ (predicted - labels) / len(labels)
    seedproof.record("weights", weights, phase="update")
