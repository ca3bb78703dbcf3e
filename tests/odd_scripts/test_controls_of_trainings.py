"""`--control`: this recording would have seen a difference, and it changed nothing."""

from __future__ import annotations

import pytest
from small_trainings import ALL_THE_SAME, FROM_BATCH_20, JAX, each, needs

ALL = (
    *("jax", "scikit-learn", "torch", "two optimizers"),
    *("keras on tensorflow", "keras on torch", "keras on jax"),
)
CHANGES_WHAT_IS_RECORDED = """
import json, os
with open(os.environ["_SEEDPROOF_RUN"] + "/launch.json") as file:
    if json.load(file).get("recording") == "end":
        x[0] += 1
"""


def controlled(seedproof, *words, **variables):
    """The one arm of a check of two runs with its controls."""
    (arm,) = seedproof.check("--runs", "2", "--control", *words, **variables)["arms"]
    return arm


@each(*ALL)
def test_a_flipped_bit_is_seen_and_recording_changes_nothing(seedproof, script, program, variables):
    arm = controlled(seedproof, script(program), ALL_THE_SAME, **variables)
    assert arm["verdict"] == "identical"
    assert arm["control"] == {"seen": True, "neutral": True}
    assert arm["neutral"] is True


@needs("jax")
def test_a_training_that_takes_notice_of_the_recording_is_not_judged(seedproof, script):
    before, _, after = JAX.partition("import jax\n")
    name = script(before + CHANGES_WHAT_IS_RECORDED + "import jax\n" + after)
    arm = controlled(seedproof, name, ALL_THE_SAME)
    assert (arm["verdict"], arm["neutral"]) == ("unknown", False)
    assert "a run that was recorded only at its end came to other weights" in arm["reason"]


@needs("jax")
def test_controls_take_no_part_in_the_verdict(seedproof, script):
    arm = controlled(seedproof, "--keep-going", script(JAX), FROM_BATCH_20)
    assert arm["divergence"]["runs"] == [0, 1]
    assert [run["index"] for run in arm["runs"]] == [0, 1]


def test_without_weights_to_flip_nothing_is_claimed(seedproof, script):
    arm = controlled(seedproof, script("import seedproof\nseedproof.record('loss', 1.5)\n"))
    assert arm["verdict"] == "identical"
    assert arm["control"]["seen"] is not True
    assert arm["control"]["neutral"] is not False


KEEPS_GOING = """
import os, seedproof
for step in range(50):
    seedproof.record("weights", os.urandom(8) if step else 0, step=step, phase="update")
"""


@pytest.mark.parametrize(
    ("options", "records"), [(["--keep-going"], [50, 50, 50]), ([], [50, 50, 0])], ids=str
)
def test_only_keep_going_runs_all_to_their_ends(seedproof, script, options, records):
    name = script(KEEPS_GOING)
    found = seedproof.check("--runs", "3", "--jobs", "1", *options, name)
    (arm,) = found["arms"]
    assert (arm["verdict"], arm["divergence"]["step"]) == ("diverged", 1)
    assert [run["records"] for run in arm["runs"]] == records
