"""How `check` and `run` carry out what was asked: with the input, the view and the output of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedproof.checking import plan
from seedproof.checking.store import Store
from seedproof.present.words import shown
from seedproof.runner.local import LocalRunner
from seedproof.runner.stdin import standard_input

if TYPE_CHECKING:
    from seedproof.checking.conduct import Conductor, Watcher


def announce(command: str, arms: Sequence[plan.Arm]) -> None:
    """What is run, and what of the user's own environment gives way to a pin named by them."""
    lines = [f"running {command}"]
    lines += [line for arm in arms for line in plan.set_aside(arm.pins, os.environ)]
    for line in dict.fromkeys(lines):
        sys.stderr.write(shown(line, 1000) + "\n")


def runner_of(arms: Sequence[plan.Arm], store: Store, *, going_on: bool = False) -> LocalRunner:
    """What carries out all runs of `store`. A private view is looked for from here on, and had by
    `conducted`: much can be loaded in between. `going_on`: they get the standard input that the
    interrupted check began with."""
    launch = arms[0].runs[0].launch
    runs = _with_all_runs(store, launch.directory)
    runner = LocalRunner(runs, standard_input(store.root, going_on=going_on))
    if launch.view == "private":
        runner.look_for_view(launch.directory)
    return runner


def conducted(
    arms: Sequence[plan.Arm], store: Store, runner: LocalRunner, watcher: Watcher, **how: Any
) -> Conductor:
    """The runs, carried out; `how` are the settings of the conductor. UsageError where they cannot
    have a private view."""
    from seedproof.checking.conduct import Conductor  # while views are being looked for

    launch = arms[0].runs[0].launch
    if launch.view == "private":
        runner.view(launch.directory)
    conductor = Conductor(arms, store, runner, watcher, **how)
    conductor.conduct()
    return conductor


def _with_all_runs(store: Store, directory: str) -> Path:
    """What private views show nothing of, and copies leave out: `--dir`, with all checks in it,
    unless that is the working directory itself."""
    kept_in = store.root.parents[1]
    return store.root.parent if kept_in.resolve() == Path(directory).resolve() else kept_in
