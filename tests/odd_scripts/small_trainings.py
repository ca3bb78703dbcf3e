"""The same small training in each framework.

Two epochs of 64 batches; from batch `argv[1]` on, the first epoch's data are other ones in every
run (as 64 is none, with that argument all runs are the same).
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

_DATA = """
import sys
import numpy as np

first_other = int(sys.argv[1])
generator = np.random.RandomState(7)
x = generator.rand(64 * 4, 3).astype("float32")
y = generator.rand(64 * 4, 1).astype("float32")
x[first_other * 4 :] = np.random.default_rng().random(x[first_other * 4 :].shape)
"""
TORCH = f"""{_DATA}
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.Adam(model.parameters())
batches = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=4
)
for epoch in range(2):
    for features, targets in batches:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(features), targets).backward()
        optimizer.step()
print("trained")
"""
TORCH_GAN = f"""{_DATA}
import torch

torch.manual_seed(0)
generator, critic = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
optimizers = [torch.optim.Adam(generator.parameters()), torch.optim.SGD(critic.parameters(), 0.1)]
for batch in torch.from_numpy(x).split(4):
    for sign, optimizer in zip((1, -1), optimizers):
        optimizer.zero_grad()
        (sign * critic(generator(batch))).mean().backward()
        optimizer.step()
"""
KERAS = f"""{_DATA}
import keras

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
model.compile("adam", "mse", steps_per_execution=int(sys.argv[2]) if sys.argv[2:] else 1)
model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
print("trained")
"""
TENSORFLOW = f"""{_DATA}
import tensorflow as tf

layer = tf.keras.layers.Dense(1, kernel_initializer="ones")
optimizer = tf.keras.optimizers.Adam()
for epoch in range(2):
    for at in range(0, len(x), 4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((layer(x[at : at + 4]) - y[at : at + 4]) ** 2)
        variables = layer.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
print("trained")
"""
JAX = f"""{_DATA}
import jax

@jax.jit
def update(weights, features, targets):
    loss = lambda weights: ((features @ weights - targets) ** 2).mean()
    value, gradient = jax.value_and_grad(loss)(weights)
    return weights - 0.1 * gradient, value

weights = jax.numpy.zeros((3, 1))
for epoch in range(2):
    for at in range(0, len(x), 4):
        weights, value = update(weights, x[at : at + 4], y[at : at + 4])
print("trained")
"""
SKLEARN = f"""{_DATA}
from sklearn.linear_model import SGDRegressor

model = SGDRegressor(random_state=0).fit(x, y.ravel())
print("trained")
"""

ALL_THE_SAME, FROM_BATCH_20 = "64", "20"


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips where one of these is not installed."""
    missing = [name for name in names if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)}")


def each(*chosen: str, quick: str = "jax") -> pytest.MarkDecorator:
    """Parametrizes `program` and its environment; all but `quick` count as slow."""
    return pytest.mark.parametrize(
        ("program", "variables"),
        [
            pytest.param(
                *_PROGRAMS[name][:2],
                id=name,
                marks=[
                    needs(*_PROGRAMS[name][2]),
                    *([] if name == quick else [pytest.mark.slow]),
                ],
            )
            for name in chosen
        ],
    )


_PROGRAMS = {
    "torch": (TORCH, {}, ["torch"]),
    "two optimizers": (TORCH_GAN, {}, ["torch"]),
    "keras on tensorflow": (KERAS, {"KERAS_BACKEND": "tensorflow"}, ["keras", "tensorflow"]),
    "keras on torch": (KERAS, {"KERAS_BACKEND": "torch"}, ["keras", "torch"]),
    "keras on jax": (KERAS, {"KERAS_BACKEND": "jax"}, ["keras", "jax"]),
    "tensorflow": (TENSORFLOW, {"KERAS_BACKEND": "tensorflow"}, ["tensorflow"]),
    "jax": (JAX, {}, ["jax"]),
    "scikit-learn": (SKLEARN, {}, ["sklearn"]),
}
