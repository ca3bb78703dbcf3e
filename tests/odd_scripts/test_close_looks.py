"""A close look at one step names its operations, and changes no bit of the training."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from small_trainings import ALL_THE_SAME, FROM_BATCH_20, each

from conftest import environment
from seedproof.compare.comparison import Comparison
from seedproof.trace.format import OPERATIONS
from seedproof.trace.reader import Trace
from traces import BOOTSTRAP, rows_of

ALL = ("jax", "torch", "two optimizers", "keras on tensorflow", "keras on torch", "keras on jax")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
AMONG = {
    "jax": ("dot_general", "transpose"),
    "torch": ("aten.addmm.default", "aten.mse_loss_backward.default"),
    "two optimizers": ("aten.addmm.default", "aten.mm.default"),
    "keras on tensorflow": ("dense (Dense)", "the gradient of dense (Dense)"),
    "keras on torch": ("aten.mm.default",),
    "keras on jax": ("dot_general", "reduce_sum"),
}


@pytest.fixture
def trace_of(tmp_path):
    """The trace of a program that is run with an argument, and looked at closely at a step."""

    def run(program, argument, variables, **scope):
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        place.mkdir()
        launch = {"pins": {}, "inside_environment": {}, **scope}
        (place / "launch.json").write_text(json.dumps(launch))
        (tmp_path / "train.py").write_text(program)
        recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": str(place)}
        done = subprocess.run(
            [sys.executable, "train.py", argument],
            cwd=tmp_path,
            env=environment(**ONE_THREAD, **variables, **recording),
            capture_output=True,
            text=True,
            timeout=200,
        )
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


@each("jax", "torch", "keras on tensorflow")
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
