"""What `seedproof demo` does, once its command line is taken apart."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedproof.checking import plan
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import DIVERGED, IDENTICAL, UNKNOWN, overall_exit
from seedproof.checking.store import PLAN_FILE, RESULT_FILE, Store
from seedproof.cli import options
from seedproof.cli.demo import RESULTS
from seedproof.cli.options import Settings
from seedproof.errors import INTERRUPTED, SeedproofError, UsageError
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
_SAYS = "mnist_cv: "  # what the experiment has to say begins with it
_ON_GOING_ON = (options.DIR, RESULTS, options.JSON)
_EXIT_STATUS = {True: IDENTICAL, False: DIVERGED, None: UNKNOWN}


def run(settings: Settings) -> int:
    """Carries it out and prints the table; returns the exit status."""
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    if getattr(settings, "continue"):
        store, asked, results = _interrupted(settings)
    else:
        store, asked, results = _new(settings)
    files = ResultFiles(Path(results))
    files.refuse_unwritable()
    arms = demo.arms(
        _command(asked), asked["runs"], asked["pairs"], asked["seed"], asked["threads"]
    )
    if settings.json != "-":
        say(_heading(asked))
    for line in dict.fromkeys(x for arm in arms for x in plan.set_aside(arm.pins, os.environ)):
        sys.stderr.write(f"{line}\n")
    try:
        conductor = _conducted(arms, asked, store, files)
        return _report(conductor, store, asked, results, settings.json)
    except KeyboardInterrupt:
        sys.stderr.write(f"seedproof: interrupted; go on with: {_to_go_on(settings)}\n")
        return INTERRUPTED


def _to_go_on(settings: Settings) -> str:
    typed = Namespace(
        **{
            option.key: settings.values[option.key] if settings.typed(option.key) else None
            for option in _ON_GOING_ON
        }
    )
    return shlex.join(["seedproof", _VERB, "--continue", *options.as_typed(_ON_GOING_ON, typed)])


def _conducted(
    arms: Sequence[plan.Arm], asked: dict[str, Any], store: Store, files: ResultFiles
) -> Conductor:
    with live.watcher(arms, store) as shown:
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


def _new(settings: Settings) -> tuple[Store, dict[str, Any], str]:
    results: str = settings.results
    ResultFiles(Path(results)).refuse_unwritable()
    asked = {key: settings.values[key] for key in _ASKED}
    if settings.full:
        asked.update({k: v for k, v in _FULL_SCALE.items() if not settings.given(k)})
    asked["title"] = _prepare(asked)
    kept = {"verb": _VERB, "asked": asked, "results": results}
    return Store.create(Path(settings.dir), kept), asked, results


def _interrupted(settings: Settings) -> tuple[Store, dict[str, Any], str]:
    """The demo to go on with; UsageError for what would make another demo of it."""
    store, kept = Store.unfinished(Path(settings.dir), _VERB)
    asked, results = kept.get("asked"), kept.get("results")
    known = {*_ASKED, "title"}
    if not isinstance(asked, dict) or asked.keys() != known or not isinstance(results, str):
        raise UsageError(
            f"--continue: {store.root / PLAN_FILE} is of another version of seedproof; start a "
            "new demo without --continue"
        )
    wanted = {key: settings.values[key] for key in _ASKED if settings.typed(key)}
    if settings.typed("full"):
        wanted = {**_FULL_SCALE, **wanted}
    for key, value in wanted.items():
        if value != asked[key]:
            raise UsageError(
                f"{settings.origins[key] if settings.typed(key) else '--full'}: the interrupted "
                "demo was started otherwise; leave it out, or start a new demo without --continue"
            )
    return store, asked, settings.results if settings.typed("results") else results


def _command(asked: dict[str, Any]) -> list[str]:
    words = [sys.executable, "-m", _EXPERIMENT, "--dataset", asked["dataset"]]
    for name in ("folds", "epochs", "batch_size", "samples", "seed"):
        if asked[name] is not None:
            words += [f"--{name.replace('_', '-')}", str(asked[name])]
    return words


def _prepare(asked: dict[str, Any]) -> str:
    """Checks the options and loads the data once, as every run will; the name of the data."""
    said = ""
    with subprocess.Popen(
        [*_command(asked), "--prepare"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(_SAYS):
                said = line.removeprefix(_SAYS).strip()
            else:  # how far a download is, say
                sys.stderr.write(line)
                sys.stderr.flush()
        title = process.stdout.read().strip()
    if process.returncode == UsageError.exit_status:
        raise UsageError(said)
    if process.returncode:
        raise SeedproofError(
            f"the experiment cannot be prepared: it ended with status {process.returncode}"
        )
    return title


def _heading(asked: dict[str, Any]) -> str:
    article = "" if asked["dataset"] == "mnist" else "; the article's own scale: --full"
    return (
        f"{asked['title']}: {asked['folds']} folds (KFold shuffled with seed {asked['seed']}), "
        f"{asked['epochs']} epochs{article}\n"
    )


def _report(
    conductor: Conductor, store: Store, asked: dict[str, Any], results: str, json: str | None
) -> int:
    found = demo.outcome(conductor.states)
    arms = [arm.outcome for arm in found.arms]
    costs = [] if found.cost is None else [found.cost]
    result = check_json.check_as_json(_command(asked), arms, costs, users_script=False)
    result["demo"] = demo_json.demo_as_json(found, asked)
    if json == "-":
        json_file.write(result, json)
    else:
        demo_text.show(found, sys.stdout)
        say(f"kept in {store.root}, {results}\n")
    for arm in arms:
        for line in failure_text.failures_as_text(arm, store):
            sys.stderr.write(f"seedproof: {line}\n")
    # Last, so that a full disk does not hide what took hours to find.
    store.write(RESULT_FILE, result)
    if json is not None and json != "-":
        json_file.write(result, json)
    return _exit_status(found)


def _exit_status(found: demo.DemoOutcome) -> int:
    """0 when the options held; the seeded arm may diverge, that is the contrast."""
    statuses = [arm.outcome.exit_status for arm in found.arms]
    trouble = overall_exit(status for status in (*statuses, IDENTICAL) if status != DIVERGED)
    return trouble if trouble != IDENTICAL else _EXIT_STATUS[found.arms[-1].repeats]
