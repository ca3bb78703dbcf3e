"""Features come from a pool of processes as they are ready, and the training sees them so.

Cause: data_order
"""

from multiprocessing import Pool

import numpy as np
from sklearn.linear_model import SGDRegressor


def features(at):
    """Some take longer than others."""
    size = 10 + 40 * (at % 3)
    grid = np.add.outer(np.arange(size), np.arange(size)) % (at + 2)
    return np.array([at / 100, np.linalg.eigvalsh(grid)[-1] / size / (at + 2)])


if __name__ == "__main__":
    with Pool(4) as pool:
        found = np.stack(list(pool.imap_unordered(features, range(100))))
    model = SGDRegressor(shuffle=False, max_iter=5, tol=None)
    model.fit(found, found.sum(axis=1))
    print(model.coef_)
