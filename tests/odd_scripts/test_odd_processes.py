"""Scripts of several processes: each is compared with its own twin, by what it is to the run."""

from __future__ import annotations

import sys

import pytest
from whole_checks import STEADY, verdict_of

DRAWN = "os.urandom(8)"

FORKS = """
import os, seedproof
seedproof.record("before", 1)
for number in range(2):
    child = os.fork()
    if child == 0:
        seedproof.record("in the child", {value})
        {end}
    os.waitpid(child, 0)
seedproof.record("after", 2)
"""
STARTS_WORKERS = """
import multiprocessing, os, sys, seedproof

def work(number):
    seedproof.record("in the worker", {value})

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    workers = [context.Process(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seedproof.record("after", 2)
"""
METHODS = ["fork", "spawn", "forkserver"]


@pytest.mark.parametrize("end", ["os._exit(0)", "raise SystemExit"])
def test_a_script_that_forks_is_compared_with_its_children(seedproof, script, end):
    name = script(FORKS.format(value="number", end=end))
    found = seedproof.check("--runs", "2", name)
    assert found["verdict"] == "identical"
    assert found["arms"][0]["runs"][0]["streams"] == ["main", "main/fork0", "main/fork1"]


def test_a_forked_child_that_differs_is_named(seedproof, script):
    name = script(FORKS.format(value=DRAWN, end="os._exit(0)"))
    found = seedproof.check("--runs", "2", name)
    assert found["verdict"] == "diverged"
    assert found["arms"][0]["divergence"]["stream"].startswith("main/fork")


def test_a_forked_child_that_records_nothing_leaves_no_stream(seedproof, script):
    name = script("import os\nif os.fork() == 0: os._exit(0)\nos.wait()\n" + STEADY)
    found = seedproof.check("--runs", "2", name)
    assert found["verdict"] == "identical"
    assert found["arms"][0]["runs"][0]["streams"] == ["main"]


@pytest.mark.parametrize("method", METHODS)
def test_workers_are_compared_however_they_are_started(seedproof, script, method):
    found = seedproof.check("--runs", "2", script(STARTS_WORKERS.format(value="number")), method)
    assert found["verdict"] == "identical"
    streams = ["main", "main/worker1", "main/worker2"]
    assert found["arms"][0]["runs"][0]["streams"] == streams


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_that_differs_is_named(seedproof, script, method):
    found = seedproof.check("--runs", "2", script(STARTS_WORKERS.format(value=DRAWN)), method)
    assert found["verdict"] == "diverged"
    assert found["arms"][0]["divergence"]["stream"].startswith("main/worker")


POOL = """
import multiprocessing, seedproof
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        seedproof.record("squares", pool.map(abs, range(20)))
"""


def test_a_pool_is_ended_and_is_no_gap(seedproof, script):
    assert verdict_of(seedproof, script(POOL)) == "identical"


LEAVES = """
import os, seedproof
seedproof.record("weights", {value})
os._exit({status})
"""


@pytest.mark.parametrize(
    ("value", "status", "verdict", "expected"),
    [("1", 0, "identical", 0), (DRAWN, 0, "diverged", 1), ("1", 3, "unknown", 4)],
    ids=["steady", "drawn", "with a status"],
)
def test_a_script_that_leaves_through_os_exit_is_whole(
    seedproof, script, value, status, verdict, expected
):
    found = seedproof.check("--runs", "2", script(LEAVES.format(value=value, status=status)))
    assert (found["verdict"], found["exit"]) == (verdict, expected)
    assert [run["returncode"] for run in found["arms"][0]["runs"]] == [status] * 2


SHELL = "for seed in 1 2; do {python} train.py $seed || exit 1; done\n"


def test_the_pythons_of_a_shell_script_are_compared(seedproof, script):
    script("import sys, seedproof\nseedproof.record('seed', int(sys.argv[1]))\n")
    script(SHELL.format(python=sys.executable), "train.sh")
    found = seedproof.check("--runs", "2", "--", "sh", "train.sh")
    assert found["verdict"] == "identical"
    assert found["arms"][0]["runs"][0]["records"] == 2
