"""What comes out of runs of several processes, from real ones."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import replace

import pytest

from seedproof.checking import plan
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import conclude
from seedproof.checking.store import Store
from seedproof.launch import Launch
from seedproof.runner.local import LocalRunner

# Starts a program as ranks 0 and 1, as a launcher does.
LAUNCHER = """
import os, subprocess, sys
children = [
    subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2"},
    )
    for rank in RANKS
]
sys.exit(max(child.wait() for child in children))
"""
RANK = """
import os, seedproof
rank, run = int(os.environ["RANK"]), int(os.environ["NUMBER"])
for step in range(4):
    seedproof.record("x", rank, step=step, phase="data")
    seedproof.record("w", VALUE, step=step, phase="update")
seedproof.log_metric("loss", 0.5 + rank)
"""
POOL = """
import multiprocessing, seedproof

def work(item):
    seedproof.record("item", item, phase="data")

if __name__ == "__main__":
    process = multiprocessing.get_context("METHOD").Process(target=work, args=(7,))
    process.start()
    process.join()
    seedproof.record("weights", 1.0, step=0, phase="update")
"""
DATA_OF_A_WORKER = """
import multiprocessing, seedproof

def load(ready):
    for item in range(10):
        seedproof.record("item", item, phase="data")
    ready.send("all")

if __name__ == "__main__":
    ready, sent = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("spawn").Process(target=load, args=(sent,))
    process.start()
    process.join()
    assert ready.poll()
    for step in range(10):
        seedproof.record("weights", step, step=step, phase="update")
"""
STOPPED = """
import seedproof
for step in range(1000):
    seedproof.record("weights", step, step=step, phase="update")
"""


class Silent:
    """A watcher that says nothing."""

    def started(self, run):
        """Nothing to say."""

    def progress(self, run, steps):
        """Nothing to say."""

    def finished(self, run, end):
        """Nothing to say."""


@pytest.fixture
def outcome(tmp_path):
    """What came of two runs of a script."""

    def conduct(script, **scope):
        (tmp_path / "train.py").write_text(script)
        launch = Launch((sys.executable, "train.py"), str(tmp_path), dict(os.environ))
        arm = plan.arm("as-is", {}, launch.with_scope(**scope), [plan.BARE] * 2)
        runs = tuple(replace(run, launch=numbered(run)) for run in arm.runs)
        arm = replace(arm, runs=runs)
        conductor = Conductor([arm], Store.create(tmp_path / "kept", {}), LocalRunner(), Silent())
        conductor.conduct()
        return conclude(conductor.states["as-is"])

    return conduct


def numbered(run):
    return run.launch.with_environment({"NUMBER": str(run.index)})


def launched(value, ranks=(0, 1)):
    program = RANK.replace("VALUE", value)
    return f"PROGRAM, RANKS = {program!r}, {ranks}" + LAUNCHER


# -- ranks -------------------------------------------------------------------------------------


def test_each_rank_is_compared_with_its_own_twin(outcome):
    found = outcome(launched("step / 7"))
    assert found.verdict.name == "identical", found.verdict
    for run in found.runs:
        assert run.streams == ("main", "rank0", "rank1")
        assert (run.records, run.steps) == (18, 4)
        assert run.metrics == {"loss": {0: 0.5}}
    assert found.phases == ("data", "update", "metric")
    assert len({run.digest for run in found.runs}) == 1


def test_a_rank_that_parts_from_its_twin_is_named(outcome):
    found = outcome(launched("step + (run if rank == 1 and step == 2 else 0)"))
    divergence = found.verdict.divergence
    assert (divergence.stream, divergence.step, divergence.name) == ("rank1", 2, "w")


def test_ranks_are_held_against_each_other_and_said_apart(outcome):
    equal = outcome(launched("step")).runs[0].ranks
    assert [(one.rank, one.equal) for one in equal] == [(1, True)]
    (apart,) = outcome(launched("step * (1 + rank)")).runs[0].ranks
    assert (apart.equal, apart.step, apart.name) == (False, 1, "w")


def test_a_rank_that_never_came_proves_nothing(outcome):
    found = outcome(launched("step", ranks=(0,)))
    assert found.verdict.reason == "run 0: rank 1 of 2 left no recording"
    assert found.exit_status == 5


# -- other processes ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_is_a_stream_of_its_parent(outcome, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    found = outcome(POOL.replace("METHOD", method))
    assert found.verdict.name == "identical", found.verdict
    assert [run.streams for run in found.runs] == [("main", "main/worker1")] * 2


# -- ended on purpose --------------------------------------------------------------------------


def test_runs_that_are_ended_on_purpose_are_identical_as_far_as_they_go(outcome):
    found = outcome(STOPPED, steps=5)
    assert found.verdict.name == "identical", found.verdict
    assert (found.stopped_after, found.steps) == (5, 5)
    assert [run.records for run in found.runs] == [5, 5]
    assert len({run.digest for run in found.runs}) == 1


def test_a_worker_is_not_ended_by_the_number_of_its_own_records(outcome):
    found = outcome(DATA_OF_A_WORKER, steps=3)
    assert found.verdict.name == "identical", found.verdict
    assert all(run.completed for run in found.runs)
    assert found.steps == 3


def test_a_run_that_went_to_its_end_was_not_ended_on_purpose(outcome):
    assert outcome(launched("step")).stopped_after is None
