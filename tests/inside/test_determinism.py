"""`make_deterministic` and `set_seed` in plain scripts: what they set, and what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

import seedproof
from conftest import environment, needs_tensorflow

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="no JAX")

SAY = "\nprint(json.dumps([report.set, report.missed]))\n"


def run(program: str, *flags: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, "-c", program],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def report_of(program: str, **variables: str) -> tuple[list[str], list[str]]:
    """What a program with `report = …` in it could set, and what it missed."""
    said = run("import json, seedproof\n" + program + SAY, **variables).splitlines()[-1]
    done, missed = json.loads(said)
    return done, missed


def test_a_plain_script_draws_the_same_twice():
    program = (
        "import seedproof, random\nseedproof.set_seed(3)\nimport numpy\n"
        "print(random.random(), numpy.random.rand())"
    )
    assert run(program) == run(program)
    assert run(program) != run(program.replace("set_seed(3)", "set_seed(4)"))


def test_the_hash_seed_of_a_running_interpreter_is_said_to_be_out_of_reach():
    _, missed = report_of("report = seedproof.make_deterministic(5)", PYTHONHASHSEED="random")
    (line,) = missed
    assert "the hash seed of this interpreter (random)" in line
    assert line.endswith("Start it as: PYTHONHASHSEED=5 python …")


def test_a_hash_seed_set_too_late_is_not_taken_for_set():
    program = "import os; os.environ['PYTHONHASHSEED'] = '5'\n"
    program += "report = seedproof.make_deterministic(5)"
    _, missed = report_of(program, PYTHONHASHSEED="random")
    assert len(missed) == 1


def test_started_right_nothing_is_missed():
    done, missed = report_of("report = seedproof.make_deterministic(5)", PYTHONHASHSEED="5")
    assert missed == []
    assert "random.seed(5)" in done


def test_what_is_missed_is_also_warned_of():
    program = (
        "import warnings, seedproof\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    seedproof.make_deterministic(5)\n"
        "print(*[str(w.message) for w in caught])"
    )
    assert "seedproof cannot set the hash seed" in run(program, PYTHONHASHSEED="random")


def test_a_blas_that_has_read_its_threads_is_named():
    program = "import numpy\nreport = seedproof.make_deterministic()"
    _, missed = report_of(program, PYTHONHASHSEED="0", OMP_NUM_THREADS="2")
    (line,) = missed
    assert "NumPy's BLAS" in line
    assert "OMP_NUM_THREADS=1" in line


@needs_tensorflow
def test_tensorflow_is_pinned_when_it_is_imported_later():
    program = (
        "report = seedproof.make_deterministic(2, threads=1)\n"
        "import tensorflow as tf\n"
        "assert tf.config.threading.get_intra_op_parallelism_threads() == 1\n"
        "from tensorflow.python.framework import config\n"
        "assert config.is_op_determinism_enabled()\n"
    )
    done, missed = report_of(program, PYTHONHASHSEED="2")
    assert missed == []
    assert "tf.random.set_seed(2)" in done


@needs_tensorflow
def test_threads_of_a_started_tensorflow_are_said_to_be_out_of_reach():
    program = (
        "import tensorflow as tf\ntf.constant(1.0) + 1\n"
        "report = seedproof.make_deterministic(0, threads=1)\n"
    )
    _, missed = report_of(
        program, PYTHONHASHSEED="0", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
        MKL_NUM_THREADS="1", TF_NUM_INTRAOP_THREADS="3", TF_NUM_INTEROP_THREADS="3",
    )  # fmt: skip
    assert len(missed) == 2
    assert all("TensorFlow has already started" in line for line in missed)
    assert all("TF_NUM_INTRAOP_THREADS=1" in line for line in missed)


@needs_torch
def test_torch_repeats_on_one_thread():
    program = (
        "import seedproof\nseedproof.make_deterministic(1)\nimport torch\n"
        "assert torch.get_num_threads() == 1\n"
        "assert torch.are_deterministic_algorithms_enabled()\n"
        "print(torch.rand(3).tolist())"
    )
    assert run(program, PYTHONHASHSEED="1") == run(program, PYTHONHASHSEED="1")


@needs_jax
def test_jax_starts_with_one_thread():
    program = (
        "import json, os, threading\nimport seedproof\n"
        "report = seedproof.make_deterministic(0, threads=1)\n"
        "import jax, jax.numpy as jnp\n"
        "jax.block_until_ready(jnp.ones(8) + 1)\n"
        "tasks = os.listdir('/proc/self/task')\n"
        "names = [open(f'/proc/self/task/{task}/comm').read() for task in tasks]\n"
        "print(len([n for n in names if 'XLAEigen' in n or 'XLAPjRtCpuClie' in n]))"
    )
    few = int(run(program, PYTHONHASHSEED="0").split()[-1])
    many = int(run(program.replace("threads=1", "threads=7"), PYTHONHASHSEED="0").split()[-1])
    assert few < many


@needs_jax
def test_a_started_jax_is_said_to_be_out_of_reach():
    program = "import jax, jax.numpy as jnp\njnp.ones(3)\nreport = seedproof.make_deterministic()\n"
    _, missed = report_of(
        program, PYTHONHASHSEED="0", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
    )  # fmt: skip
    assert any("JAX's backend has already started" in line for line in missed)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ValueError, match="allowed are whole numbers from 0 to 4294967295"):
        seedproof.set_seed(seed)


@pytest.mark.parametrize("threads", [0, -1, 1.0])
def test_threads_that_are_none_are_refused(threads):
    with pytest.raises(ValueError, match=r"threads is .* allowed are whole numbers from 1"):
        seedproof.make_deterministic(0, threads)
