"""`seedproof diff`: runs that were recorded anywhere, compared."""

import json
import shutil

import pytest

TRAIN = """
import sys
import numpy as np
import seedproof
weights = np.zeros(3)
for step in range(6):
    weights = weights + (float(sys.argv[1]) if step > 2 else 1)
    seedproof.record("weights", weights)
"""


@pytest.fixture
def recorded(seedproof, script):
    """Records a run of the script, and moves it to where it was not made."""
    name = script(TRAIN)

    def record(place: str, argument: str) -> str:
        assert seedproof("run", name, argument).status == 0
        (run,) = (seedproof.directory / ".seedproof" / "runs").iterdir()
        shutil.move(run, seedproof.directory / place)
        return place

    return record


def test_equal_runs_are_identical(seedproof, recorded):
    done = seedproof("diff", recorded("a", "1"), recorded("b", "1"))
    assert done.status == 0
    assert done.out.splitlines()[2] == "diff: IDENTICAL"
    assert "surroundings of runs 0 and 1: the same" in done.out
    assert done.out.splitlines()[-1].startswith("next: seedproof check ")


def test_another_command_is_told_and_why_they_part_is_asked_next(seedproof, recorded):
    lines = seedproof("diff", recorded("a", "1"), recorded("b", "2")).out.splitlines()
    (commands,) = (line for line in lines if line.startswith("  command: "))
    ours, theirs = commands.removeprefix("  command: ").split(" against ")
    assert (ours[-2:], theirs[-2:]) == (" 1", " 2")
    assert lines[-1] == f"next: seedproof explain {ours}"


def test_where_runs_part_and_how_the_difference_grows_is_told(seedproof, recorded):
    done = seedproof("diff", recorded("a", "1"), recorded("b", "2"))
    assert done.status == 1
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "runs 0 and 1 part: step 3, output weights" in lines
    table = lines[lines.index("step max abs max ULP share") + 1 :]
    assert table[0] == "step 2 0 0 0%"
    assert table[1].startswith("step 3 1 ")
    assert table[1].endswith(" 100%")
    assert table[3].startswith("step 5 3 ")


def test_what_differed_in_the_surroundings_is_told(seedproof, recorded, monkeypatch):
    first = recorded("a", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    done = seedproof("diff", first, recorded("b", "1"))
    assert "  variable OMP_NUM_THREADS: not there against 3" in done.out.splitlines()


def test_its_json_is_that_of_a_check_with_the_growth(seedproof, recorded):
    done = seedproof("diff", "--json", "-", recorded("a", "1"), recorded("b", "2"))
    result = json.loads(done.out)
    assert (result["schema"], result["verdict"], result["exit"]) == (
        "seedproof.check/1",
        "diverged",
        1,
    )
    assert [one["max_abs_diff"] for one in result["growth"]] == [0, 0, 0, 1, 2, 3]


def test_a_run_of_a_check_can_be_compared_too(seedproof, recorded, script):
    first = recorded("a", "1")
    assert seedproof("check", "--runs", "2", script(TRAIN), "1").status == 0
    (check,) = (seedproof.directory / ".seedproof" / "checks").iterdir()
    assert seedproof("diff", first, str(check / "as-is" / "1")).status == 0


def test_a_run_that_was_killed_is_compared_as_far_as_it_goes(seedproof, script):
    name = script(TRAIN + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n")
    for _ in range(2):
        assert seedproof("run", name, "1").status == 4
    runs = sorted(map(str, (seedproof.directory / ".seedproof" / "runs").iterdir()))
    done = seedproof("diff", *runs)
    assert done.status == 4
    assert "diff: UNKNOWN (run 0 did not end successfully)" in done.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "diff: found no runs, and two are compared; type: seedproof diff RUN_A RUN_B"),
        (["x"], "diff: found 1 run, and two are compared; type: seedproof diff RUN_A RUN_B"),
        (
            ["x", "y"],
            (
                "x: found no recorded run; give a directory that seedproof run or check has "
                "kept, such as .seedproof/runs/…"
            ),
        ),
    ],
)
def test_what_is_no_run_gets_one_line(seedproof, arguments, line):
    done = seedproof("diff", *arguments)
    assert (done.status, done.out, done.err) == (2, "", f"seedproof: {line}\n")


def test_a_whole_check_is_too_many_runs(seedproof, script):
    assert seedproof("check", "--runs", "2", script(TRAIN), "1").status == 0
    done = seedproof("diff", ".seedproof", ".seedproof")
    assert done.status == 2
    assert done.err.startswith("seedproof: .seedproof: found 2 runs; give one of them: .seedproof/")
