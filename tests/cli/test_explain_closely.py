"""`seedproof explain` names the operation at which runs part, in each framework."""

from __future__ import annotations

import json
import sys

import pytest

from seedproof.inside.machine import visible_cores

TORCH = """
import os
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(6):
    optimizer.zero_grad()
    output = model(torch.ones(2, 3))
    if step == 3:
        output = output + torch.rand(1, generator=torch.Generator().manual_seed(os.urandom(1)[0]))
    output.sum().backward()
    optimizer.step()
"""
JAX = """
import os
import jax, jax.numpy as jnp, numpy as np

calls = 0
def jitter(value):
    global calls
    calls += 1
    return value + np.float32(os.urandom(1)[0] if calls > 3 else 0)

@jax.jit
def update(weights, x):
    gradient = jax.grad(lambda weights: ((x @ weights) ** 2).mean())(weights)
    shape = jax.ShapeDtypeStruct(gradient.shape, gradient.dtype)
    gradient = jax.pure_callback(jitter, shape, gradient)
    return weights - 0.1 * gradient

weights = jnp.ones((3, 1))
for step in range(6):
    weights = update(weights, jnp.ones((2, 3)))
"""
KERAS = """
import os
import keras, numpy as np, tensorflow as tf

class Jitter(keras.layers.Layer):
    def call(self, x):
        noise = tf.numpy_function(lambda: np.float32(os.urandom(1)[0]), [], tf.float32)
        return x + tf.ensure_shape(noise, [])

    def compute_output_shape(self, shape):
        return shape

keras.utils.set_random_seed(0)
layers = keras.layers.Dense(2), Jitter(name="shaken"), keras.layers.Dense(1)
model = keras.Sequential([keras.layers.Input((3,)), *layers])
model.compile("sgd", "mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=4, verbose=0)
"""
EAGER = """
import tensorflow as tf

weights = tf.keras.Variable([[1.0], [1.0]])
optimizer = tf.keras.optimizers.SGD(0.1)
for step in range(6):
    with tf.GradientTape() as tape:
        output = tf.matmul([[1.0, 2.0]], weights)
        if step == 3:
            output = output + tf.random.uniform([])
        loss = tf.reduce_sum(output**2)
    optimizer.apply(tape.gradient(loss, [weights]), [weights])
"""
GRAPH = """
import tensorflow as tf

weights = tf.keras.Variable([[1.0], [1.0]])
optimizer = tf.keras.optimizers.SGD(0.1)
generator = tf.random.Generator.from_non_deterministic_state()

@tf.function
def update(x):
    with tf.GradientTape() as tape:
        if tf.reduce_sum(x) > 0:
            output = tf.matmul(x, weights)
        else:
            output = x
        output = output + generator.uniform([])
        loss = tf.reduce_sum(output**2)
    optimizer.apply(tape.gradient(loss, [weights]), [weights])

for step in range(6):
    update(tf.constant([[1.0, 2.0]]))
"""
WRITES_TWICE = """
import torch

torch.manual_seed(0)
cells, points = torch.randint(0, 200_000, (1_000_000,)), torch.randn(1_000_000, 4)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(4):
    grid = torch.ones(200_000, 4)
    if step == 2:
        grid[cells] = points
    optimizer.zero_grad()
    (model(grid) ** 2).mean().backward()
    optimizer.step()
"""
TAKES_NOTICE = """
import json, os
import seedproof
with open(os.environ["_SEEDPROOF_RUN"] + "/launch.json") as file:
    if "close" in json.load(file):
        torch.nn.init.ones_(model.weight)
"""


def explained(seedproof, name, **variables):
    words = ("explain", "--python", sys.executable, "--json", "-", name)
    return json.loads(seedproof(*words, **variables).out)


@pytest.mark.parametrize(
    ("framework", "program", "operation", "line", "is_hint"),
    [
        ("torch", TORCH, "aten.rand.generator", 12, False),
        ("jax", JAX, "pure_callback and what follows", 15, True),
        pytest.param("keras", KERAS, "shaken (Jitter)", 6, False, marks=pytest.mark.slow),
    ],
    ids=["torch", "jax", "keras on tensorflow"],
)
def test_the_operation_is_named(seedproof, script, framework, program, operation, line, is_hint):
    pytest.importorskip(framework)
    found = explained(seedproof, script(program), KERAS_BACKEND="tensorflow")
    assert [cause["source"] for cause in found["causes"]] == ["entropy"]
    named = found["operation"]
    assert found["divergence"]["line"].endswith(f"train.py:{line}")
    assert (named["name"], named["place"]["line"]) == (operation, line)
    assert named["hint"] == is_hint
    assert named["outputs_alone"]
    assert found["unnamed"] is None


@pytest.mark.slow
@pytest.mark.skipif(visible_cores() < 2, reason="its threads share one core")
def test_a_kernel_that_computes_in_any_order_is_named_and_proved(seedproof, script):
    pytest.importorskip("torch")
    found = explained(seedproof, script(WRITES_TWICE))
    (cause,) = found["causes"]
    assert (cause["source"], cause["status"]) == ("op_determinism", "proved")
    assert found["operation"]["name"] == "aten.index_put_.default"
    assert found["divergence"]["line"].endswith("train.py:11")
    assert found["operation"]["outputs_alone"]


@pytest.mark.slow
def test_the_operation_of_eager_tensorflow_is_named(seedproof, script):
    pytest.importorskip("tensorflow")
    found = explained(seedproof, script(EAGER), KERAS_BACKEND="tensorflow")
    assert [(one["source"], one["status"]) for one in found["causes"]] == [("seeds", "proved")]
    assert found["operation"]["name"] == "RandomUniform"
    assert found["operation"]["outputs_alone"]
    assert found["divergence"]["line"].endswith("train.py:10")
    assert found["unnamed"] is None


@pytest.mark.slow
def test_the_operation_of_a_graph_is_named_with_the_line_before_it_was_rewritten(seedproof, script):
    pytest.importorskip("tensorflow")
    found = explained(seedproof, script(GRAPH), KERAS_BACKEND="tensorflow")
    (cause,) = found["causes"]
    assert (cause["source"], cause["status"]) == ("entropy", "proved")
    assert cause["line"].endswith("train.py:6")
    assert found["operation"]["name"] == "RngReadAndSkip"
    assert found["divergence"]["line"].endswith("train.py:15")
    assert found["runs"] <= 12


def test_a_training_that_takes_notice_has_no_operation_named(seedproof, script):
    pytest.importorskip("torch")
    before, _, after = TORCH.partition("optimizer = ")
    name = script(before + TAKES_NOTICE + "optimizer = " + after)
    found = explained(seedproof, name)
    assert found["unnamed"] == "looking closely changed what was computed before"
    assert found["operation"] is None
    told = seedproof("explain", "--python", sys.executable, name).out
    assert "no operation is named: looking closely changed what was computed before" in told


def test_a_training_that_fails_when_it_is_looked_at_is_explained(seedproof, script):
    pytest.importorskip("jax")
    notices = TAKES_NOTICE.replace("torch.nn.init.ones_(model.weight)", "raise SystemExit(3)")
    found = explained(seedproof, script(notices + JAX))
    assert found["unnamed"] == "looked at closely, the script did not come so far"
    assert [(cause["source"], cause["status"]) for cause in found["causes"]] == [
        ("entropy", "proved")
    ]
    assert found["moves"] is None


def test_steps_that_part_by_chance_are_not_laid_to_the_look(seedproof, script):
    name = script(
        "import random, seedproof\n"
        "value = 0\n"
        "for step in range(40):\n"
        "    value += random.random() if random.random() < .25 else 0\n"
        "    seedproof.record('value', value, step=step)\n"
    )
    for _ in range(4):
        assert explained(seedproof, name)["unnamed"] is None
