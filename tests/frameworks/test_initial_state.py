"""What a model keeps of its batches is recorded as it was before the first of them."""

from importlib.util import find_spec

import numpy as np
import pytest

from conftest import needs_tensorflow
from seedproof.trace.digest import digest_array
from traces import recorded, rows_of

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")

TORCH = """
import torch
class Adds(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("added", torch.full((3,), 7.0))
    def forward(self, x):
        return x + self.added
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), Adds())
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(2):
    model(torch.rand(8, 4)).sum().backward()
    optimizer.step()
"""
TENSORFLOW = """
import keras, tensorflow as tf
layers = [keras.layers.Dense(3), keras.layers.BatchNormalization()]
model = keras.Sequential([{inputs}*layers])
optimizer = keras.optimizers.SGD(0.1)
@{way}
def step(batch):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(batch, training=True))
    weights = model.trainable_variables
    optimizer.apply(tape.gradient(loss, weights), weights)
for _ in range(2):
    step(tf.random.uniform((8, 4)))
"""
FILLED = {"running_mean": 0, "running_var": 1, "added": 7, "moving_mean": 0, "moving_variance": 1}


def initial_state(stream):
    """By name, the digests of what is not trained, at the first update."""
    key = "init/optimizer0#0"
    ((_, *words),) = rows_of(stream, key)
    names = [
        column.name.replace("/", ".").rpartition(".")[2] for column in stream.tables[key].columns
    ]
    return {name: word for name, word in zip(names, words, strict=True) if name in FILLED}


def filled(*names):
    return {name: digest_array(np.full(3, FILLED[name], np.float32)) for name in names}


@needs_torch
def test_buffers_of_pytorch(tmp_path):
    stream, _ = recorded(TORCH, tmp_path)
    assert initial_state(stream) == filled("running_mean", "running_var", "added")


@needs_tensorflow
@pytest.mark.parametrize("way", ["staticmethod", "tf.function"], ids=["eager", "graph"])
def test_state_of_keras_in_a_loop_by_hand(way, tmp_path):
    stream, _ = recorded(TENSORFLOW.format(way=way, inputs="keras.Input((4,)), "), tmp_path)
    assert initial_state(stream) == filled("moving_mean", "moving_variance")


@needs_tensorflow
def test_state_that_is_made_by_the_first_batch_is_not_taken_for_initial(tmp_path):
    stream, _ = recorded(TENSORFLOW.format(way="staticmethod", inputs=""), tmp_path)
    assert initial_state(stream) == {}
