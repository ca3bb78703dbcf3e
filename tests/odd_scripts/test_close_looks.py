"""A close look at one step names its operations, and changes no bit of the training."""

from __future__ import annotations

import sys

import pytest
from small_trainings import ALL_THE_SAME, FROM_BATCH_20, each, needs

from seedproof.compare.comparison import Comparison
from seedproof.trace.format import OPERATIONS
from seedproof.trace.reader import Trace
from traces import rows_of, run_recorded

ALL = (
    *("jax", "torch", "two optimizers", "tensorflow"),
    *("keras on tensorflow", "keras on torch", "keras on jax"),
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
AMONG = {
    "jax": ("dot_general", "transpose"),
    "torch": ("aten.addmm.default", "aten.mse_loss_backward.default"),
    "two optimizers": ("aten.addmm.default", "aten.mm.default"),
    "tensorflow": ("MatMul", "Mean"),
    "keras on tensorflow": ("dense (Dense)", "the gradient of dense (Dense)"),
    "keras on torch": ("aten.mm.default",),
    "keras on jax": ("dot_general", "reduce_sum"),
}


@pytest.fixture
def trace_of(tmp_path):
    """The trace of a program that is run with an argument, and looked at closely at a step."""

    def run(program, argument, variables, **scope):
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        (tmp_path / "train.py").write_text(program)
        command = [sys.executable, "train.py", argument]
        done = run_recorded(place, command, scope, **ONE_THREAD, **variables)
        assert done.returncode == 0, done.stderr
        trace = Trace(place / "trace")
        trace.refresh()
        return trace

    return run


def parts(reference, other):
    comparison = Comparison(reference, other)
    comparison.finish()
    return comparison.first()


def operations(trace):
    stream = trace.streams["main"]
    assert stream.all("trouble") == []
    return [event["name"] for event in stream.all("operation")]


def outputs(trace):
    """Of each operation its number and what it gave."""
    rows = rows_of(trace.streams["main"], f"{OPERATIONS}#0")
    return [(number, given) for _, number, _, given in rows]


@each(*ALL)
def test_a_close_look_changes_no_bits(trace_of, request, program, variables):
    plain = trace_of(program, ALL_THE_SAME, variables)
    closely = trace_of(program, ALL_THE_SAME, variables, close=3)
    assert parts(plain, closely) is None
    assert operations(plain) == []
    named = AMONG[request.node.callspec.id]
    assert set(named) <= set(operations(closely))


@each("jax", "torch", "tensorflow", "keras on tensorflow")
def test_a_change_of_bits_would_be_seen(trace_of, program, variables):
    found = parts(*(trace_of(program, FROM_BATCH_20, variables) for _ in range(2)))
    assert found is not None
    assert found.step == 20


@each(*ALL)
def test_two_close_looks_at_equal_steps_are_equal(trace_of, program, variables):
    """A data set of which a batch is taken differs as a whole: so inputs may differ."""
    first, second = (trace_of(program, FROM_BATCH_20, variables, close=19) for _ in range(2))
    rows = [outputs(trace) for trace in (first, second)]
    assert len(rows[0]) > 1
    assert rows[0] == rows[1]


@each(*(name for name in ALL if name != "two optimizers"))  # they make two steps of a batch
def test_a_close_look_at_a_step_that_differs_differs(trace_of, program, variables):
    first, second = (trace_of(program, FROM_BATCH_20, variables, close=20) for _ in range(2))
    rows = [outputs(trace) for trace in (first, second)]
    assert len(rows[0]) == len(rows[1])
    assert rows[0] != rows[1]


# -- what a look could have disturbed ----------------------------------------------------------

KERAS_START = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(0)
draw = np.random.RandomState(0)
layers = keras.layers
"""
RECURRENT = f"""{KERAS_START}
model = keras.Sequential([layers.Input((5, 3)), layers.Dense(4), layers.LSTM(4), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(draw.rand(32, 5, 3), draw.rand(32, 1), batch_size=4, verbose=0)
"""
SOFTMAX = f"""{KERAS_START}
model = keras.Sequential([layers.Input((3,)), layers.Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(draw.rand(32, 3), draw.randint(0, 3, 32), batch_size=4, verbose=0)
"""
SPARSE_AND_EAGER = f"""{KERAS_START}
class Sparse(layers.Layer):
    def call(self, x):
        return tf.sparse.from_dense(x)
sparse, dense, optimizer = Sparse(), layers.Dense(1), keras.optimizers.Adam()
for _ in range(6):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(dense(tf.sparse.to_dense(sparse(tf.ones((4, 3))))) ** 2)
    variables = dense.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)
"""
GRAPH = """
import numpy as np, tensorflow as tf
draw = np.random.RandomState(0)
x, y = draw.rand(64, 9).astype("f4"), draw.rand(64, 1).astype("f4")
weights = tf.keras.Variable(np.ones((9, 5), "f4")), tf.keras.Variable(np.ones((5, 1), "f4"))
optimizer = tf.keras.optimizers.Adam()

@tf.function
def update(x, y):
    with tf.GradientTape() as tape:
        hidden = tf.nn.softmax(tf.matmul(x, weights[0]))
        while tf.reduce_sum(hidden) > 1.0:
            hidden = hidden / 2.0
        loss = tf.reduce_mean((tf.nn.relu(tf.matmul(hidden, weights[1])) - y) ** 2)
    optimizer.apply(tape.gradient(loss, weights), weights)

for step in range(6):
    update(x, y)
"""
OWN_MODE = """
import torch
from torch.utils._python_dispatch import TorchDispatchMode

class Counting(TorchDispatchMode):
    count = 0
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        Counting.count += 1
        return function(*arguments, **(named or {}))

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
counts = []
for step in range(6):
    with Counting():
        optimizer.zero_grad()
        model(torch.ones(2, 3)).sum().backward()
        optimizer.step()
    before, _ = Counting.count, torch.ones(3) + 1
    assert Counting.count == before
    counts.append(Counting.count)
assert len({after - before for before, after in zip(counts[1:], counts[2:])}) == 1
"""
CALLS_BACK = """
import jax, jax.numpy as jnp, numpy as np
calls = []

def drawn(value):
    calls.append(1)
    return np.asarray(value + len(calls), np.float32)

@jax.jit
def update(weights, x):
    jax.debug.print("updating {}", x.sum())
    found = jnp.where(x @ weights > 0, x @ weights, 0.0)
    shape = jax.ShapeDtypeStruct(found.shape, found.dtype)
    found = found + jax.pure_callback(drawn, shape, found)
    return jax.grad(lambda weights: ((x @ weights - found) ** 2).mean())(weights) + weights

weights = jnp.ones((3, 1))
for step in range(6):
    weights = update(weights, jnp.ones((2, 3)))
jax.block_until_ready(weights)
assert len(calls) == 6
"""
DELICATE = {
    "recurrent": (RECURRENT, "lstm (LSTM)", ["keras", "tensorflow"]),
    "softmax": (SOFTMAX, "dense (Dense)", ["keras", "tensorflow"]),
    "sparse, eager": (SPARSE_AND_EAGER, "MatMul", ["keras", "tensorflow"]),
    "a graph by hand": (GRAPH, "Softmax", ["keras", "tensorflow"]),
    "a mode of its own": (OWN_MODE, None, ["torch"]),
    "calls back": (CALLS_BACK, "pure_callback and what follows", ["jax"]),
}


@pytest.mark.parametrize(
    ("program", "named"),
    [
        pytest.param(
            program,
            named,
            id=name,
            marks=[needs(*modules), *([pytest.mark.slow] if "keras" in modules else [])],
        )
        for name, (program, named, modules) in DELICATE.items()
    ],
)
def test_a_look_leaves_alone_what_is_delicate(trace_of, program, named):
    variables = {"KERAS_BACKEND": "tensorflow"}
    plain = trace_of(program, "", variables)
    closely = trace_of(program, "", variables, close=3)
    assert parts(plain, closely) is None
    assert named is None or named in operations(closely)
