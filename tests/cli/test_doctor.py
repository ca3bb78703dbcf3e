"""The doctor tells what a fresh process really found and set."""

from __future__ import annotations

import sys

import pytest

from conftest import needs_tensorflow
from seedproof.present import doctor_text
from seedproof.trace import sums


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)


def test_what_stands_against_the_policy_is_named(seedproof):
    done = seedproof("doctor", "--python", sys.executable, OMP_NUM_THREADS="3")
    assert done.status == 0
    assert "in the environment: OMP_NUM_THREADS=3" in done.out
    seeded, _, deterministic = done.out.partition("\ndeterministic:")
    contradiction = "  OMP_NUM_THREADS=3 in the environment contradicts the pin of num_threads"
    assert contradiction in deterministic
    assert contradiction not in seeded
    assert done.out.splitlines()[-1] == "contradicted by the environment: deterministic, portable"


def test_what_computes_the_digests_is_told(seedproof, monkeypatch):
    done = seedproof("doctor", "--python", sys.executable)
    known = "compiled code" if sums.are_compiled(()) else "NumPy: no C compiler was at hand"
    assert f"\ndigests are computed by {known}" in done.out
    monkeypatch.setattr(sums, "_is_right", lambda: False)
    assert doctor_text._arithmetic().startswith("NumPy: no C compiler was at hand when")


def test_what_was_found_in_force_is_told(seedproof):
    done = seedproof("doctor", "--python", sys.executable, "--seed", "7")
    assert "  found in force: hash_seed 7" in done.out
    assert done.out.splitlines()[-1] == "nothing in the environment contradicts a policy"


def test_a_secret_of_another_tool_is_not_shown(seedproof):
    done = seedproof("doctor", "--python", sys.executable, TF_VAR_password="hunter2")
    assert "hunter2" not in done.out + done.err


@needs_tensorflow
def test_each_pin_is_told_with_the_framework_that_it_acts_on(seedproof):
    done = seedproof("doctor", "--python", sys.executable, "--seed", "7")
    deterministic = done.out.partition("\ndeterministic:")[2]
    assert "when tensorflow is there: tf.random.set_seed(7)" in deterministic
    assert "tf.config.experimental.enable_op_determinism()" in deterministic
    assert "PYTHONHASHSEED=7" in deterministic
    assert "  found in force: num_threads 1" in deterministic
    assert "TF_DETERMINISTIC_OPS=1" in deterministic


def test_an_interpreter_that_cannot_be_recorded_gives_one_line(seedproof):
    done = seedproof("doctor", "--python", "/bin/false")
    assert done.status == 3
    assert done.err.startswith("seedproof: /bin/false: ")
    assert len(done.err.splitlines()) == 1
