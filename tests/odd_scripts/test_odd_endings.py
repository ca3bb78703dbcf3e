"""Scripts that fail, and scripts in which there is nothing to see."""

from __future__ import annotations

import sys

import pytest
from whole_checks import STEADY, alone, runs_of, verdict_of

RAISES = """
import os, seedproof
def train(step):
    if step == 7:
        raise FloatingPointError("loss is nan")
    seedproof.record("weights", {value}, step=step, phase="update")
for step in range(20):
    train(step)
"""


def test_what_a_script_did_before_it_raised_is_compared(seedproof, script):
    found = seedproof.check("--runs", "2", script(RAISES.format(value="step / 7")))
    assert (found["verdict"], found["exit"]) == ("unknown", 4)
    (arm,) = found["arms"]
    assert [(run["records"], run["steps_observed"]) for run in arm["runs"]] == [(7, 7)] * 2
    assert (arm["scope"]["steps"], arm["scope"]["complete"]) == (7, False)
    assert len({run["digest"] for run in arm["runs"]}) == 1


def test_a_difference_before_a_script_raised_is_told(seedproof, script):
    name = script(RAISES.format(value="os.urandom(8) if step == 5 else step"))
    found = seedproof.check("--runs", "2", "--keep-going", name)
    assert (found["verdict"], found["exit"]) == ("diverged", 4)
    assert found["arms"][0]["divergence"]["step"] == 5


def test_its_traceback_is_untouched_in_the_log_and_its_end_on_the_terminal(seedproof, script):
    name = script(RAISES.format(value="step"))
    expected = alone(seedproof.directory, sys.executable, name)
    found = seedproof.check("--runs", "2", name)
    assert [run.err for run in runs_of(seedproof.directory, found)] == [expected.err] * 2
    done = seedproof("check", "--runs", "2", "--python", sys.executable, name)
    assert "FloatingPointError: loss is nan" in done.err
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize("program", ["print(1)", "import math", ""], ids=str)
def test_where_nothing_is_trained_the_line_to_paste_is_said(seedproof, script, program):
    done = seedproof("check", "--runs", "2", "--python", sys.executable, script(program))
    assert done.status == 5
    assert "as-is: UNKNOWN (nothing was recorded, so nothing was compared)" in done.out
    (line,) = [line for line in done.out.splitlines() if line.startswith("next: ")]
    pasted = line.partition("script: ")[2]
    assert pasted == 'import seedproof; seedproof.record("weights", weights)'
    name = script(f"weights = 1.5\n{pasted}\n{program}")
    assert verdict_of(seedproof, name) == "identical"


@pytest.mark.parametrize("options", ["-I", "-S", "-E", "-sIS"])
def test_an_interpreter_that_lets_nothing_in_is_three_and_told_why(seedproof, script, options):
    name = script("open('weights.txt', 'w').write('1')\n")
    command = ("check", "--runs", "2", "--", sys.executable, options, name)
    done = seedproof(*command)
    assert done.status == 3
    assert "the recording did not load: it comes in through PYTHONPATH, which python -I" in done.err
    (line,) = [line for line in done.out.splitlines() if line.startswith("next: ")]
    assert line.endswith("Python script: import seedproof; seedproof.init()")


def test_the_line_for_such_an_interpreter_lets_the_recording_in(seedproof, script):
    name = script("import seedproof; seedproof.init()\nseedproof.record('weights', 1.5)\n")
    done = seedproof("check", "--runs", "2", "--", sys.executable, "-I", name)
    assert (done.status, done.out.splitlines()[0]) == (0, "as-is: IDENTICAL")


def test_an_empty_environment_lets_nothing_in(seedproof, script):
    name = script(STEADY)
    done = seedproof("check", "--runs", "2", "--", "env", "-i", sys.executable, name)
    assert done.status == 3


@pytest.mark.parametrize(("value", "expected"), [("7", 0), ("id(object())", 1)], ids=["7", "id"])
def test_what_it_wrote_can_be_compared_without_a_recording(seedproof, script, value, expected):
    name = script(f"open('weights.txt', 'w').write(str({value}))\n")
    command = ("--", sys.executable, "-I", name)
    found = seedproof.check("--runs", "2", "--outputs", "*.txt", *command)
    assert found["exit"] == expected
