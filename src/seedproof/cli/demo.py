"""`seedproof demo`: the reference experiment, with and without the options."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import DIVERGED, IDENTICAL, overall_exit
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli import INTERRUPTED, Parser, options
from seedproof.cli.options import Option, whole
from seedproof.errors import SeedproofError, UsageError
from seedproof.experiments import demo
from seedproof.present import check_json, demo_json, demo_text, failure_text, json_file, live
from seedproof.runner.local import LocalRunner

_MANY = 1_000_000_000
DATASET = Option("dataset", "digits, mnist, fashion-mnist, FILE.npz or IMAGES,LABELS (digits)",
                 "DATA", default="digits")  # fmt: skip
FOLDS = Option("folds", "folds of the cross-validation (5)", "K", whole(2, _MANY), 5)
EPOCHS = Option("epochs", "epochs per fold (10)", "E", whole(1, _MANY), 10)
BATCH_SIZE = Option("batch-size", "images per step (100)", "B", whole(1, _MANY), 100)
SAMPLES = Option("samples", "only the first so many images", "N", whole(1, _MANY))
PAIRS = Option("pairs", "pairs of runs timed alone, for the cost (3; 0 for none)", "P",
               whole(0, 1000), 3)  # fmt: skip
FULL = Option("full", "the article's scale: MNIST, 10 runs of 10 folds", kind="flag", default=False)
RESULTS = Option("results", "where the article's text files go (results)", "DIR",
                 default="results")  # fmt: skip
OPTIONS = (
    DATASET,
    FOLDS,
    EPOCHS,
    BATCH_SIZE,
    SAMPLES,
    options.RUNS,
    PAIRS,
    FULL,
    options.SEED,
    options.THREADS,
    options.JOBS,
    options.TIMEOUT,
    options.CONTINUE,
    options.DIR,
    RESULTS,
    options.JSON,
)
_FULL_SCALE = {"dataset": "mnist", "folds": 10, "epochs": 10, "runs": 10}
_ASKED = ("dataset", "folds", "epochs", "batch_size", "samples", "runs", "pairs", "seed", "threads",
          "jobs", "timeout")  # fmt: skip
_EXPERIMENT = "seedproof.experiments.mnist_cv"


def main(argv: Sequence[str]) -> int:
    """Runs the demo and prints its table; returns the exit status."""
    settings = options.resolve(OPTIONS, _parser().parse_args(argv))
    store, asked = _store_and_asked(settings)
    arms = demo.arms(
        _command(asked), asked["runs"], asked["pairs"], asked["seed"], asked["threads"]
    )
    sys.stdout.write(_heading(asked) if settings.json != "-" else "")
    for line in demo.set_aside(arms, os.environ):
        sys.stderr.write(f"{line}\n")
    files = demo.ResultFiles(Path(settings.results))
    files.start_afresh()
    with live.watcher(sum(len(arm.runs) for arm in arms)) as shown:
        watcher = demo.Appending(shown, files)
        conductor = Conductor(
            arms,
            store,
            LocalRunner(),
            watcher,
            jobs=asked["jobs"],
            timeout=asked["timeout"],
            keep_going=True,
        )
        watcher.conductor = conductor
        try:
            conductor.conduct()
        except KeyboardInterrupt:
            sys.stderr.write("seedproof: interrupted; go on with: seedproof demo --continue\n")
            return INTERRUPTED
    return _report(conductor, store, asked, settings)


def _parser() -> Parser:
    parser = Parser(
        prog="seedproof demo",
        description="The reference experiment: a cross-validation, with and without the options.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    return parser


def _store_and_asked(settings: options.Settings) -> tuple[Store, dict[str, Any]]:
    if getattr(settings, "continue"):
        store, kept = Store.unfinished(Path(settings.dir), "demo")
        return store, kept["asked"]
    asked = {key: settings.values[key] for key in _ASKED}
    if settings.full:
        asked.update({k: v for k, v in _FULL_SCALE.items() if not settings.given(k)})
    asked["title"] = _prepare(asked)
    return Store.create(Path(settings.dir), {"verb": "demo", "asked": asked}), asked


def _command(asked: dict[str, Any]) -> list[str]:
    words = [sys.executable, "-m", _EXPERIMENT, "--dataset", asked["dataset"]]
    for name in ("folds", "epochs", "batch_size", "samples", "seed"):
        if asked[name] is not None:
            words += [f"--{name.replace('_', '-')}", str(asked[name])]
    return words


def _prepare(asked: dict[str, Any]) -> str:
    """Checks the options and loads the data once, as every run will; the name of the data."""
    done = subprocess.run(
        [*_command(asked), "--prepare"],
        stdout=subprocess.PIPE,
        stderr=None if sys.stderr.isatty() else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode == UsageError.exit_status:
        *_, line = (done.stderr or "mnist_cv: see above").strip().splitlines()
        raise UsageError(line.removeprefix("mnist_cv: "))
    if done.returncode:
        raise SeedproofError(f"the experiment cannot be prepared: {(done.stderr or '')[-300:]}")
    return done.stdout.strip()


def _heading(asked: dict[str, Any]) -> str:
    article = "" if asked["dataset"] == "mnist" else "; the article's own: seedproof demo --full"
    return (
        f"{asked['title']}: {asked['folds']} folds (KFold shuffled with seed {asked['seed']}), "
        f"{asked['epochs']} epochs{article}\n"
    )


def _report(
    conductor: Conductor, store: Store, asked: dict[str, Any], settings: options.Settings
) -> int:
    found = demo.outcome(conductor.states)
    arms = [arm.outcome for arm in found.arms]
    costs = [] if found.cost is None else [found.cost]
    result = check_json.check_as_json(_command(asked), arms, costs)
    result["demo"] = demo_json.demo_as_json(found, asked)
    store.write(RESULT_FILE, result)
    if settings.json is not None:
        json_file.write(result, settings.json)
    if settings.json != "-":
        demo_text.show(found, sys.stdout)
        sys.stdout.write(f"kept in {store.root}, {settings.results}\n")
    for arm in arms:
        for line in failure_text.failures_as_text(arm, store):
            sys.stderr.write(f"seedproof: {line}\n")
    return _exit_status(found)


def _exit_status(found: demo.DemoOutcome) -> int:
    """0 when the options held; the seeded arm may diverge, that is the contrast."""
    statuses = [arm.outcome.exit_status for arm in found.arms]
    trouble = overall_exit(status for status in (*statuses, IDENTICAL) if status != DIVERGED)
    if trouble != IDENTICAL:
        return trouble
    return IDENTICAL if found.held else DIVERGED
