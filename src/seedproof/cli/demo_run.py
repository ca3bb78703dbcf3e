"""What `seedproof demo` does, once its command line is taken apart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedproof.checking import plan
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import DIVERGED, IDENTICAL, overall_exit
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli import INTERRUPTED
from seedproof.cli.options import Settings
from seedproof.errors import SeedproofError, UsageError
from seedproof.experiments import demo
from seedproof.experiments.result_files import Appending, ResultFiles
from seedproof.present import check_json, demo_json, demo_text, failure_text, json_file, live
from seedproof.present.output import say
from seedproof.runner.local import LocalRunner

_FULL_SCALE = {"dataset": "mnist", "folds": 10, "epochs": 10, "runs": 10}
_ASKED = ("dataset", "folds", "epochs", "batch_size", "samples", "runs", "pairs", "seed", "threads",
          "jobs", "timeout")  # fmt: skip
_EXPERIMENT = "seedproof.experiments.mnist_cv"
_VERB = "demo"


def run(settings: Settings) -> int:
    """Carries it out and prints the table; returns the exit status."""
    files = ResultFiles(Path(settings.results))
    files.refuse_unwritable()
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    store, asked = _store_and_asked(settings)
    arms = demo.arms(
        _command(asked), asked["runs"], asked["pairs"], asked["seed"], asked["threads"]
    )
    if settings.json != "-":
        say(_heading(asked))
    for line in dict.fromkeys(x for arm in arms for x in plan.set_aside(arm.pins, os.environ)):
        sys.stderr.write(f"{line}\n")
    try:
        return _report(_conducted(arms, asked, store, files), store, asked, settings)
    except KeyboardInterrupt:
        sys.stderr.write("seedproof: interrupted; go on with: seedproof demo --continue\n")
        return INTERRUPTED


def _conducted(
    arms: Sequence[plan.Arm], asked: dict[str, Any], store: Store, files: ResultFiles
) -> Conductor:
    with live.watcher(sum(len(arm.runs) for arm in arms)) as shown:
        watcher = Appending(shown, files)
        conductor = Conductor(
            arms,
            store,
            LocalRunner(),
            watcher,
            jobs=asked["jobs"],
            timeout=asked["timeout"],
            keep_going=True,
        )
        watcher.begin(conductor.states, store)
        conductor.conduct()
    return conductor


def _store_and_asked(settings: Settings) -> tuple[Store, dict[str, Any]]:
    if getattr(settings, "continue"):
        store, kept = Store.unfinished(Path(settings.dir), _VERB)
        return store, kept["asked"]
    asked = {key: settings.values[key] for key in _ASKED}
    if settings.full:
        asked.update({k: v for k, v in _FULL_SCALE.items() if not settings.given(k)})
    asked["title"] = _prepare(asked)
    return Store.create(Path(settings.dir), {"verb": _VERB, "asked": asked}), asked


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


def _report(conductor: Conductor, store: Store, asked: dict[str, Any], settings: Settings) -> int:
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
        say(f"kept in {store.root}, {settings.results}\n")
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
