"""The article's experiment as its reader would write it by hand, without Seedproof.

python plain_cross_validation.py with|without OUTPUT.npz
"""

from __future__ import annotations

import os
import random
import sys

WITH_OPTIONS = sys.argv[1] == "with"
for variable in ("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC"):
    os.environ[variable] = str(int(WITH_OPTIONS))

import numpy as np  # noqa: E402 - the variables must be there first
import tensorflow as tf  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import KFold  # noqa: E402
from tensorflow import keras  # noqa: E402

random.seed(0)
np.random.seed(0)
tf.random.set_seed(0)
if WITH_OPTIONS:
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)

digits = load_digits()
images = np.pad(np.kron(digits.images[:300], np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2))) / 16.0
labels = digits.target[:300]

trained = []
for training, held_out in KFold(n_splits=2, shuffle=True, random_state=0).split(images):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(8, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(8, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        images[training],
        labels[training],
        epochs=2,
        batch_size=50,
        validation_split=0.2,
        verbose=0,
    )
    model.evaluate(images[held_out], labels[held_out], verbose=0)
    trained.extend(model.get_weights())
np.savez(sys.argv[2], *trained)
