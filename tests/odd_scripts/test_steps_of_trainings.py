"""`--steps K` and `--steps 1epoch`: runs end cleanly there, and the verdict is about no more."""

from __future__ import annotations

import pytest
from small_trainings import ALL_THE_SAME, FROM_BATCH_20, KERAS, each, needs
from whole_checks import runs_of

STEPPED = ("jax", "torch", "keras on tensorflow", "keras on torch", "keras on jax")
WITH_EPOCHS = ("torch", "keras on tensorflow", "keras on torch", "keras on jax")


def stopped(seedproof, *words, **variables):
    """The one arm of a check of two runs that `--steps` ended."""
    (arm,) = seedproof.check("--runs", "2", "--steps", *words, **variables)["arms"]
    assert arm["exit"] != 4, arm
    return arm


@each(*STEPPED)
@pytest.mark.parametrize(("steps", "verdict"), [(20, "identical"), (21, "diverged")])
def test_what_comes_after_the_last_step_does_not_count(
    seedproof, script, program, variables, steps, verdict
):
    arm = stopped(seedproof, str(steps), script(program), FROM_BATCH_20, **variables)
    assert arm["verdict"] == verdict
    assert (arm["scope"]["steps"], arm["scope"]["stopped_after"]) == (steps, steps)
    assert arm["scope"]["not_reached"][0] == f"the training after step {steps - 1}"
    assert verdict == "identical" or arm["divergence"]["step"] == 20


@each("jax", "torch")
def test_a_run_ends_cleanly_before_its_own_end(seedproof, script, program, variables):
    command = ("--runs", "2", "--steps", "3", script(program), ALL_THE_SAME)
    left = runs_of(seedproof.directory, seedproof.check(*command, **variables))
    assert [(run.status, run.out) for run in left] == [(0, b""), (0, b"")]


@each("jax", "torch")
def test_a_run_that_is_over_sooner_is_complete(seedproof, script, program, variables):
    command = ("--runs", "2", "--steps", "1000", script(program), ALL_THE_SAME)
    (arm,) = seedproof.check(*command, **variables)["arms"]
    assert (arm["verdict"], arm["scope"]["steps"]) == ("identical", 128)
    assert (arm["scope"]["complete"], arm["scope"]["stopped_after"]) == (True, None)


@pytest.mark.slow
@each(*WITH_EPOCHS, quick="")
def test_an_epoch_is_what_the_training_takes_for_one(seedproof, script, program, variables):
    arm = stopped(seedproof, "1epoch", script(program), ALL_THE_SAME, **variables)
    assert (arm["verdict"], arm["scope"]["stopped_after"]) == ("identical", 64)
    assert not arm["scope"]["complete"]


@pytest.mark.slow
@needs("keras", "tensorflow")
@pytest.mark.parametrize(("steps", "verdict"), [(20, "identical"), (21, "diverged")])
def test_steps_within_one_call_are_counted_one_by_one(seedproof, script, steps, verdict):
    words = (script(KERAS), FROM_BATCH_20, "16")
    arm = stopped(seedproof, str(steps), *words, KERAS_BACKEND="tensorflow")
    assert (arm["verdict"], arm["scope"]["steps"]) == (verdict, steps)
    assert all(run["steps_observed"] >= 32 for run in arm["runs"])


@pytest.mark.slow
@needs("keras", "tensorflow")
def test_an_epoch_of_steps_within_one_call_ends_where_it_ends(seedproof, script):
    words = (script(KERAS), ALL_THE_SAME, "16")
    arm = stopped(seedproof, "1epoch", *words, KERAS_BACKEND="tensorflow")
    assert (arm["verdict"], arm["scope"]["stopped_after"]) == ("identical", 64)
