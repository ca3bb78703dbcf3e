"""A training that fails says what it says without us: the same traceback, in each framework."""

from __future__ import annotations

import re
import sys

import pytest
from whole_checks import alone, runs_of, with_us

FAILING = {
    "torch": """
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        return x @ torch.ones(5)
Net()(torch.ones(2, 3)).sum().backward()
""",
    "torch, in an update": """
import torch
class Broken(torch.optim.SGD):
    def step(self):
        super().step()
        raise RuntimeError("no more")
weights = torch.nn.Parameter(torch.ones(3))
weights.sum().backward()
Broken([weights], 0.1).step()
""",
    "jax": """
import jax
@jax.jit
def update(weights):
    return jax.grad(lambda weights: (weights @ jax.numpy.ones(5)).sum())(weights)
update(jax.numpy.ones(3))
""",
    "sklearn": """
from sklearn.linear_model import Ridge
Ridge().fit([[0.0], [float("nan")]], [0.0, 1.0])
""",
    "keras": """
import keras, numpy as np
class Broken(keras.layers.Layer):
    def call(self, x):
        if x.shape[-1] == 4:
            raise ValueError("four of them")
        return x
model = keras.Sequential([keras.layers.Dense(4), Broken()])
model.compile("sgd", "mse")
model.fit(np.ones((8, 3)), np.ones((8, 4)), verbose=0)
""",
    "tensorflow": """
import keras, tensorflow as tf
model, optimizer = keras.Sequential([keras.layers.Dense(4)]), keras.optimizers.SGD()
@tf.function
def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    raise RuntimeError("no more")
step(tf.ones((2, 3)))
""",
}
OF_ONE_RUN = re.compile(rb"__autograph_generated_file\w+|0x[0-9a-f]{6,}")
OF_THE_START = re.compile(rb"^([IWE]\d{4} |WARNING: All log messages before absl).*\n", re.M)


def said(run):
    return run.status, OF_ONE_RUN.sub(b"", OF_THE_START.sub(b"", run.err))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in ("keras", "tensorflow") else [])
        for name in FAILING
    ],
)
def test_a_failing_training_leaves_its_own_traceback(script, tmp_path, name):
    pytest.importorskip(name.partition(",")[0])
    command = [sys.executable, script(FAILING[name])]
    variables = {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "0"}
    expected = said(alone(tmp_path, *command, **variables))
    result = with_us(tmp_path, "--keep-going", "--", *command, **variables)
    assert [said(run) for run in runs_of(tmp_path, result)] == [expected] * 2
    assert b"Traceback" in expected[1]
