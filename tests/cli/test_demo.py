"""The demo, small but real: both arms, both questions, the article's files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import pytest

from conftest import Command, Done, needs_tensorflow

SMALL = ("--folds", "2", "--epochs", "1", "--samples", "200", "--batch-size", "20", "--runs", "2")


@dataclass(frozen=True)
class Demo:
    """A finished demo."""

    seedproof: Command
    done: Done
    result: dict

    def lines(self, name: str) -> list[str]:
        """The lines of one of the article's files."""
        return (self.seedproof.directory / "results" / name).read_text().splitlines()

    def arm(self, name: str) -> dict:
        """What the demo says of an arm."""
        return next(arm for arm in self.result["demo"]["arms"] if arm["name"] == name)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Demo:
    pytest.importorskip("tensorflow")
    pytest.importorskip("sklearn")
    seedproof = Command(tmp_path_factory.mktemp("demo"))
    results = seedproof.directory / "results"
    results.mkdir()
    (results / "with_tf_option.txt").write_text("an old result\n")
    done = seedproof("demo", *SMALL, "--pairs", "2", "--json", "result.json")
    assert done.status == 0, done.err
    return Demo(seedproof, done, json.loads((seedproof.directory / "result.json").read_text()))


def test_with_the_options_it_repeats_here_and_elsewhere(demo):
    arm = demo.arm("deterministic")
    assert (arm["here"]["verdict"], arm["elsewhere"]["verdict"]) == ("identical", "identical")
    assert arm["elsewhere"]["variance"]["loss"] == 0.0
    assert arm["elsewhere"]["churn"] == 0.0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core cannot show it")
def test_with_seeds_alone_it_repeats_here_and_parts_elsewhere(demo):
    arm = demo.arm("seeded")
    assert (arm["here"]["verdict"], arm["elsewhere"]["verdict"]) == ("identical", "diverged")
    (seeded,) = [arm for arm in demo.result["arms"] if arm["name"] == "seeded"]
    assert seeded["divergence"]["step"] == 0
    assert demo.result["demo"]["contrast"]


def test_the_files_hold_the_bare_repeats_of_this_demo(demo):
    for name in ("with_tf_option.txt", "without_tf_option.txt"):
        lines = demo.lines(name)
        assert len(lines) == 2 * (1 + 2)
        assert lines[1:3] == lines[4:6]
        assert "an old result" not in lines


def test_varied_runs_go_to_a_file_of_their_own(demo):
    varied = len(demo.arm("seeded")["elsewhere"]["runs"]) - 1
    assert len(demo.lines("with_tf_option.varied.txt")) == varied * (1 + 2)


def test_eval_reads_the_files(demo):
    done = demo.seedproof("eval", "results/with_tf_option.txt")
    assert done.status == 0
    assert done.out.startswith("results/with_tf_option.txt: 0.0, ")


def test_the_cost_comes_from_the_pairs_that_ran_alone(demo):
    (cost,) = demo.result["cost"]
    assert (cost["policy"], cost["baseline"], cost["pairs"]) == ("deterministic", "seeded", 2)
    assert cost["ci95_low"] <= cost["ratio"] <= cost["ci95_high"]
    solo = [run for arm in demo.result["arms"] for run in arm["runs"] if run["solo"]]
    assert len(solo) == 4


def test_the_first_line_names_the_data_and_the_way_to_the_articles(demo):
    first = demo.done.out.splitlines()[0]
    assert first.startswith("200 images of scikit-learn's digits")
    assert "KFold shuffled with seed 0" in first
    assert first.endswith("the article's own scale: --full")


def test_one_line_per_run_where_there_is_no_terminal(demo):
    lines = [line for line in demo.done.err.splitlines() if line.startswith("[")]
    assert len(lines) == sum(len(arm["runs"]) for arm in demo.result["arms"])


def going_on(demo, *arguments, change=None, **variables):
    """The demo gone on with, as if it had been interrupted before it had its result."""
    (root,) = (demo.seedproof.directory / ".seedproof" / "checks").iterdir()
    result, plan = root / "result.json", root / "check.json"
    kept = plan.read_text()
    result.unlink(missing_ok=True)
    plan.write_text(json.dumps({**json.loads(kept), **(change or {})}))
    try:
        return demo.seedproof("demo", "--continue", *arguments, **variables)
    finally:
        plan.write_text(kept)


@pytest.mark.parametrize(
    ("arguments", "flag"), [(("--runs", "3"), "--runs"), (("--full",), "--full")]
)
def test_going_on_is_refused_with_other_options(demo, arguments, flag):
    done = going_on(demo, *arguments)
    assert done.status == 2
    assert done.err == (
        f"seedproof: {flag}: the interrupted demo was started otherwise; leave it out, or start a "
        "new demo without --continue\n"
    )


def test_going_on_with_a_demo_of_another_version_is_refused(demo):
    done = going_on(demo, change={"asked": {}})
    assert done.status == 2
    assert "check.json is of another version of seedproof" in done.err
    assert len(done.err.splitlines()) == 1


def test_going_on_comes_to_the_same_end_with_the_results_where_they_were(demo):
    done = going_on(demo, "--runs", "2", SEEDPROOF_RESULTS="elsewhere")
    assert done.status == 0, done.err
    assert done.out == demo.done.out
    assert not (demo.seedproof.directory / "elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dataset", "cifar"), "cifar"),
        (("--folds", "1"), "--folds: found '1'; allowed is a whole number from 2"),
        (("--runs", "-3"), "--runs: found '-3'; allowed is a whole number from 2"),
        (("--folds", "300", "--samples", "200"), "found 300 folds for 200 images"),
        (("--samples", "99999"), "found --samples 99999, allowed are the 1797 images"),
        (("--epochs", "many"), "--epochs: found 'many'; allowed is a whole number from 1"),
        (("--results", "/dev/null/results"), "--results /dev/null/results"),
        (("--dir", "/dev/null/runs"), "--dir /dev/null/runs"),
        (("--continue",), "found no interrupted demo"),
    ],
)
def test_bad_input_gives_one_line(arguments, said, seedproof):
    pytest.importorskip("sklearn")
    done = seedproof("demo", *arguments)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1, done.err
    assert said in done.err
    assert done.out == ""


@needs_tensorflow
def test_nothing_is_lost_when_the_results_cannot_be_written(seedproof):
    """Old results stay where they are as long as the demo cannot begin."""
    kept = seedproof.directory / "results" / "with_tf_option.txt"
    kept.parent.mkdir()
    kept.write_text("precious\n")
    assert seedproof("demo", "--dataset", "cifar").status == 2
    assert kept.read_text() == "precious\n"
