"""Runs side by side, compared while they go on, and stopped where they need not go on."""

from __future__ import annotations

import os
import sys

import pytest

from seedproof.checking import plan
from seedproof.checking.arm_state import ArmState
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import conclude
from seedproof.checking.store import Store
from seedproof.inside.machine import visible_cores
from seedproof.launch import Launch
from seedproof.runner.local import LocalRunner
from traces import Trace

RECORD = """
import seedproof
for step in range(3):
    seedproof.record("weights", {value}, step=step, phase="update")
"""
STEADY = RECORD.format(value="step / 7")
RANDOM = "import os\n" + RECORD.format(value="os.urandom(8)")
# Ends well only if two runs are there at once.
MEET = """
import os, time
open(f"here-{os.getpid()}", "x").close()
deadline = time.monotonic() + 60
while sum(name.startswith("here-") for name in os.listdir()) < 2:
    assert time.monotonic() < deadline, "alone"
    time.sleep(0.01)
"""
UNTIL_SEEN = """
import os, time
deadline = time.monotonic() + 60
while not os.path.exists("two-steps-seen"):
    assert time.monotonic() < deadline, "unseen"
    time.sleep(0.01)
"""
# Ends well only if no other run is there.
ALONE = """
import os, time
os.mkdir("alone")
time.sleep(0.05)
os.rmdir("alone")
"""


class Seen:
    """A watcher that keeps what it saw; a file tells the runs once it saw two steps."""

    def __init__(self, directory):
        self.started_runs, self.ends, self._file = [], {}, directory / "two-steps-seen"
        self.most_at_once = 0

    def started(self, run):
        self.started_runs.append((run.arm, run.index))
        self.most_at_once = max(self.most_at_once, len(self.started_runs) - len(self.ends))

    def progress(self, _run, steps):
        if steps >= 2:
            self._file.touch()

    def finished(self, run, end):
        self.ends[run.arm, run.index] = end


@pytest.fixture
def conduct(tmp_path):
    """Conducts arms of a program; what came of the first one, and what was seen."""
    store = Store.create(tmp_path / "kept", {"verb": "check"})

    def conduct(program, runs=2, policies=("as-is",), solo=0, **how):
        launch = Launch((sys.executable, "-c", program), str(tmp_path), dict(os.environ))
        arms = [
            plan.arm(policy, plan.pins(policy, (), 0, 1), launch, [plan.BARE] * runs, solo)
            for policy in policies
        ]
        seen = Seen(tmp_path)
        conductor = Conductor(arms, store, LocalRunner(), seen, **how)
        conductor.conduct()
        return conclude(conductor.states[policies[0]]), seen

    return conduct


def test_runs_that_leave_the_same_records_are_identical(conduct):
    outcome, seen = conduct(STEADY, runs=3)
    assert outcome.verdict.name == "identical"
    assert [run.records for run in outcome.runs] == [3, 3, 3]
    assert len({run.digest for run in outcome.runs}) == 1
    assert [end.returncode for end in seen.ends.values()] == [0, 0, 0]


def test_runs_that_part_have_diverged(conduct):
    outcome, _ = conduct(RANDOM)
    assert outcome.verdict.name == "diverged"
    assert outcome.verdict.divergence.step == 0


def test_a_run_that_waits_is_not_begun_once_the_arm_has_diverged(conduct):
    outcome, seen = conduct(RANDOM, runs=5, jobs=1)
    assert outcome.verdict.name == "diverged"
    assert seen.started_runs == [("as-is", 0), ("as-is", 1)]


def test_another_arm_goes_on_when_one_has_diverged(conduct):
    program = "import random\n" + RECORD.format(value="random.random()")
    _, seen = conduct(program, policies=("as-is", "seeded"), jobs=1)
    assert {("seeded", 0), ("seeded", 1)} <= set(seen.started_runs)


def test_all_runs_are_carried_out_where_they_shall_keep_going(conduct):
    outcome, seen = conduct(RANDOM, runs=4, jobs=1, keep_going=True)
    assert outcome.verdict.name == "diverged"
    assert len(seen.ends) == 4
    assert all(run.completed for run in outcome.runs)


def test_two_jobs_are_two_runs_at_once(conduct):
    _, seen = conduct(MEET + STEADY, jobs=2)
    assert [end.returncode for end in seen.ends.values()] == [0, 0]


@pytest.mark.skipif(visible_cores() < 2, reason="one processor")
def test_without_a_word_there_are_as_many_runs_at_once_as_the_processors_carry(conduct):
    _, seen = conduct(MEET + STEADY, policies=("deterministic",))
    assert [end.returncode for end in seen.ends.values()] == [0, 0]


def test_one_job_is_one_run_at_a_time(conduct):
    _, seen = conduct(ALONE + STEADY, runs=4, jobs=1)
    assert [end.returncode for end in seen.ends.values()] == [0, 0, 0, 0]


@pytest.mark.skipif(visible_cores() < 2, reason="one processor")
@pytest.mark.parametrize(("found", "at_once"), [(True, 1), (False, 2)])
def test_where_there_is_an_accelerator_one_run_at_a_time_has_it(conduct, found, at_once):
    _, seen = conduct(
        STEADY,
        policies=("deterministic",),
        accelerator=lambda environment: found and "PATH" in environment,
    )
    assert seen.most_at_once == at_once


def test_jobs_share_an_accelerator_where_the_user_says_so(conduct):
    _, seen = conduct(MEET + STEADY, jobs=2, accelerator=lambda _: True)
    assert [end.returncode for end in seen.ends.values()] == [0, 0]


def test_timed_runs_are_alone_whatever_the_jobs_and_come_last_and_interleaved(conduct):
    _, seen = conduct(ALONE + STEADY, runs=0, policies=("as-is", "seeded"), solo=2, jobs=4)
    assert seen.started_runs == [("as-is", 0), ("seeded", 0), ("seeded", 1), ("as-is", 1)]
    assert [end.returncode for end in seen.ends.values()] == [0, 0, 0, 0]


def test_a_run_that_takes_too_long_is_stopped_and_the_next_one_begun(conduct):
    outcome, seen = conduct("import time; time.sleep(100000)", jobs=1, timeout=0.2)
    assert [end.stopped for end in seen.ends.values()] == ["timeout", "timeout"]
    assert outcome.exit_status == 124


def test_what_is_on_disk_is_not_run_again(conduct):
    conduct(STEADY)
    outcome, seen = conduct(STEADY)
    assert seen.started_runs == []
    assert outcome.verdict.name == "identical"


def test_what_was_started_in_another_environment_is_run_again(conduct, monkeypatch):
    program = "import os\n" + RECORD.format(value="int(os.environ['OMP_NUM_THREADS'])")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    conduct(program)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    outcome, seen = conduct(program, runs=3)
    assert len(seen.started_runs) == 3
    assert outcome.verdict.name == "identical"


def test_a_run_that_has_not_begun_is_not_looked_at(tmp_path):
    arm = plan.arm("as-is", {}, Launch((), str(tmp_path)), [plan.BARE] * 3)
    state = ArmState(arm, Store(tmp_path))
    for index in range(3):
        Trace(tmp_path / "as-is" / str(index) / "trace").updates(index)
    state.begun = {0, 2}
    state.advance()
    assert [state.comparisons[index].first() is not None for index in (1, 2)] == [False, True]


def test_progress_is_told_while_a_run_goes_on(conduct):
    _, seen = conduct(STEADY + UNTIL_SEEN, jobs=1)
    assert [end.returncode for end in seen.ends.values()] == [0, 0]


def test_the_launch_of_every_run_is_kept_without_the_environment(conduct, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    conduct(STEADY, policies=("seeded",))
    kept = [path.read_text() for path in (tmp_path / "kept").rglob("launch.json")]
    assert len(kept) == 2
    assert all('"hash_seed": 0' in text for text in kept)
    for path in (tmp_path / "kept").rglob("*"):
        assert path.is_dir() or b"hush" not in path.read_bytes()
