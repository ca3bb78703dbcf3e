"""Small trainings in the styles that Keras on PyTorch allows; run with a style and a seed.

python keras_on_torch_styles.py STYLE SEED OUTPUT.npz
"""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 0
GENERATOR = np.random.RandomState(7)
IMAGES = GENERATOR.rand(32, 12).astype("float32")
LABELS = GENERATOR.randint(0, 4, 32)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network():
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((12,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(4),
        ]
    )


def compiled(model, **options):
    model.compile(keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"], **options)
    return model


def fitted(model, **options):
    model.fit(IMAGES, LABELS, **{"batch_size": 8, "epochs": 2, "verbose": 0, **options})
    return model


def fit():
    return fitted(compiled(network()), validation_split=0.25)


def fit_compiled_by_torch():
    return fitted(compiled(network(), jit_compile=True), epochs=1)


def loader():
    images, labels = torch.from_numpy(IMAGES), torch.from_numpy(LABELS)
    data = torch.utils.data.TensorDataset(images, labels)
    model = compiled(network())
    model.fit(torch.utils.data.DataLoader(data, batch_size=8, shuffle=True), epochs=2, verbose=0)
    return model


def train_on_batch():
    model = compiled(network())
    for start in range(0, 24, 8):
        model.train_on_batch(IMAGES[start : start + 8], LABELS[start : start + 8])
    return model


class CustomStep(keras.Model):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs, training=False):
        return self.inner(inputs, training=training)

    def train_step(self, data):
        x, y = data
        self.zero_grad()
        LOSS(y, self(x, training=True)).backward()
        variables = self.trainable_variables
        gradients = [variable.value.grad for variable in variables]
        with torch.no_grad():
            self.optimizer.apply(gradients, variables)
        return {}


def custom_train_step():
    model = CustomStep(network())
    model.compile(keras.optimizers.SGD(0.1))
    return fitted(model)


def mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    return fitted(compiled(network()))


def torch_optimizer():
    """A model of Keras in a loop of PyTorch."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for start in range(0, 24, 8):
        optimizer.zero_grad()
        LOSS(LABELS[start : start + 8], model(IMAGES[start : start + 8], training=True)).backward()
        optimizer.step()
    return model


if __name__ == "__main__":
    torch.set_num_threads(1)
    keras.utils.set_random_seed(SEED)
    trained = globals()[sys.argv[1]]()
    np.savez(sys.argv[3], *[keras.ops.convert_to_numpy(v) for v in trained.variables])
