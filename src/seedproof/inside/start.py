"""What happens in the user's interpreter before the user's first line.

The launch is read, the pins that act inside are applied (now, or when their framework has been
imported), and the recording begins with a `hello`, whose absence tells the parent that this
never ran.
"""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any

from seedproof import frameworks
from seedproof._version import __version__
from seedproof.frameworks.base import Done, Framework
from seedproof.inside import escapes, machine, our_variables, recorder, roles, trackers
from seedproof.inside.import_hook import when_imported
from seedproof.inside.process_stream import ProcessStream
from seedproof.inside.run_directory import (
    LAUNCH_FILE,
    OURS,
    RUN_VARIABLE,
    TRACE_DIRECTORY,
    VIEW_FILE,
)
from seedproof.inside.scope import Scope
from seedproof.trace.digest import DIGEST_ID
from seedproof.trace.format import SCHEMA

_BOOTSTRAP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap")


def start() -> None:
    """Starts recording and pinning in this process, as the launch in the run's directory says."""
    run_directory = os.environ[RUN_VARIABLE]  # as long in every run
    with open(os.path.join(run_directory, LAUNCH_FILE), encoding="utf-8") as file:
        launch = json.load(file)
    ours = (RUN_VARIABLE, roles.ROLE_VARIABLE, *launch.get(OURS, ()))
    our_variables.hide(ours, _BOOTSTRAP)
    active = _begin_recording(run_directory, launch)
    os.environ.update(launch["inside_environment"])
    _watch_escapes(active, run_directory)
    for name, location in frameworks.KNOWN.items():
        when_imported(name, partial(_meet, active, location, launch))
    for name in trackers.OFFLINE:
        when_imported(name, partial(_note_tracker, active))


def _watch_escapes(active: recorder.Recorder, run_directory: str) -> None:
    """What is written outside of a private view stays, and the next run finds it."""
    try:
        with open(os.path.join(run_directory, VIEW_FILE), encoding="utf-8") as file:
            view = json.load(file)
    except OSError:
        return

    def tell(directory: str) -> None:
        active.event("note", text=f"it wrote to {directory}, which all runs share")

    # Where all runs of a check lie: it is as long in each of them.
    runs = os.path.dirname(os.path.dirname(os.path.abspath(run_directory)))
    escapes.watch(view["root"], [runs], tell, view["shared"])


def _begin_recording(run_directory: str, launch: dict[str, Any]) -> recorder.Recorder:
    scope = Scope(launch)

    def hello() -> dict[str, Any]:
        facts = {"schema": SCHEMA, "digest": DIGEST_ID, "seedproof": __version__}
        facts.update(mode=scope.mode, pins=launch["pins"])
        return {**facts, **recorder.clocks(), **machine.describe()}

    stream = ProcessStream(os.path.join(run_directory, TRACE_DIRECTORY), hello)
    stream.settle()
    return recorder.begin(stream, scope)


def _meet(active: recorder.Recorder, location: str, launch: dict[str, Any], name: str) -> None:
    """Varies, pins and observes a framework that the user's code has just imported.

    This runs inside their import: whatever fails here is told, and never reaches them.
    """
    try:
        framework = frameworks.load(location)
        active.event("framework", name=framework.name, version=framework.version())
        for source, value in launch.get("offers", {}).items():
            _act(active, "offered", framework, source, value)
        for source, value in launch["pins"].items():
            _act(active, "pinned", framework, source, value)
        if active.notes:
            framework.note()
        active.add_effective(framework.effective)
        framework.observe(active)
    except Exception:
        active.trouble(f"meet {name}")


def _note_tracker(active: recorder.Recorder, name: str) -> None:
    said = trackers.put_offline(name, os.environ)
    if said:
        active.event("note", text=said)


def _act(
    active: recorder.Recorder, kind: str, framework: Framework, source: str, value: Any
) -> None:
    """Varies or pins one source, and tells what came of it."""
    try:
        done = framework.vary(source, value) if kind == "offered" else framework.pin(source, value)
    except Exception as error:
        done = Done(missed=(f"{source} of {framework.name}: {error!r}",))
    if done is not None:
        told = {"framework": framework.name, "source": source, "value": value}
        active.event(kind, **told, **done._asdict())
