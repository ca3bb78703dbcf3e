"""`seedproof run`: one recorded run, whose output is the target's own."""

import json
import subprocess
import sys

import pytest

from conftest import environment

TRAIN = """
import sys
import numpy as np
import seedproof
weights = np.zeros(3)
for step in range(4):
    weights = weights + step
    seedproof.record("weights", weights)
print("trained", *sys.argv[1:])
"""


def test_the_target_s_output_is_all_that_standard_output_has(seedproof, script):
    done = seedproof("run", script(TRAIN), "--lr", "0.1")
    assert (done.status, done.out) == (0, "trained --lr 0.1\n")


def test_it_says_what_was_recorded_where_it_is_and_what_to_type_next(seedproof, script):
    done = seedproof("run", script(TRAIN))
    lines = done.err.splitlines()
    assert lines[1].startswith("recorded to the end: 4 steps, 4 records a run (output); ")
    assert lines[-2].startswith("kept in .seedproof/runs/")
    place = lines[-2].removeprefix("kept in ")
    assert lines[-1] == (
        f"next: run it again, here or elsewhere, then: seedproof diff {place} OTHER_RUN"
    )


def test_its_json_has_the_run_and_no_verdict(seedproof, script):
    done = seedproof("run", "--json", "run.json", script(TRAIN))
    assert done.status == 0
    result = json.loads((seedproof.directory / "run.json").read_text())
    assert (result["schema"], result["exit"]) == ("seedproof.run/1", 0)
    assert (result["run"]["records"], result["run"]["steps_observed"]) == (4, 4)
    assert "verdict" not in result


def test_it_works_in_the_directory_itself(seedproof, script):
    name = script(TRAIN + "open('weights.txt', 'w').write('1')\n")
    assert seedproof("run", name).status == 0
    assert (seedproof.directory / "weights.txt").exists()


def test_it_reads_standard_input(seedproof, script):
    name = script(
        "import sys, seedproof; seedproof.record('w', 1); print(sys.stdin.read(), end='')"
    )
    done = subprocess.run(
        [sys.executable, "-m", "seedproof", "run", name],
        cwd=seedproof.directory,
        env=environment(),
        input=b"\x00\xff all of it\n",
        capture_output=True,
        timeout=120,
    )
    assert done.stdout == b"\x00\xff all of it\n"


@pytest.mark.parametrize(
    ("script_text", "status", "said"),
    [
        (
            "raise ValueError('too small')",
            4,
            "the script ended with status 1: ValueError: too small",
        ),
        ("print('nothing')", 5, "recorded nothing"),
    ],
)
def test_what_went_wrong_is_said(seedproof, script, script_text, status, said):
    done = seedproof("run", script(script_text))
    assert done.status == status
    assert said in done.err


def test_steps_end_it_early(seedproof, script):
    done = seedproof("run", "--steps", "2", "--json", "run.json", script(TRAIN))
    assert (done.status, done.out) == (0, "")
    result = json.loads((seedproof.directory / "run.json").read_text())
    assert result["scope"]["stopped_after"] == 2


def test_it_has_one_policy(seedproof, script):
    done = seedproof("run", "--policy", "seeded", "--policy", "as-is", script(TRAIN))
    assert (done.status, done.err) == (
        2,
        (
            "seedproof: --policy: found seeded and as-is; a run has one policy, since several "
            "are arms of a check\n"
        ),
    )
