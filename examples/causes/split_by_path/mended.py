"""The path within the data set is hashed."""

import zlib
from pathlib import Path

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

generator = np.random.default_rng(0)
files = [Path("birds") / f"{at:03}.png" for at in range(100)]
images = generator.normal(size=(100, 12))
kinds = (images[:, 0] > 0).astype(int)

hashes = [zlib.crc32(str(file).encode()) for file in files]
is_test = np.array([found % 5 == 0 for found in hashes])
model = KNeighborsClassifier(3).fit(images[~is_test], kinds[~is_test])
print(f"{model.score(images[is_test], kinds[is_test]):.3f} of the birds are recognised")
