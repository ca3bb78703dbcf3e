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
from seedproof.frameworks.base import Done, Framework
from seedproof.inside import machine, recorder
from seedproof.inside.import_hook import when_imported
from seedproof.trace.digest import DIGEST_ID
from seedproof.trace.format import MAIN_STREAM, OTHERS_FILE, SCHEMA
from seedproof.trace.writer import StreamWriter

RUN_VARIABLE = "_SEEDPROOF_RUN"
LAUNCH_FILE = "launch.json"
TRACE_DIRECTORY = "trace"
TRAINERS = ("tensorflow", "torch", "jax")


def start() -> None:
    """Starts recording and pinning in this process, as the launch in the run's directory says."""
    run_directory = os.environ[RUN_VARIABLE]
    with open(os.path.join(run_directory, LAUNCH_FILE), encoding="utf-8") as file:
        launch = json.load(file)
    _begin_recording(run_directory, launch["pins"])
    os.environ.update(launch["inside_environment"])
    for name, location in frameworks.KNOWN.items():
        when_imported(name, partial(_meet, location, launch["pins"]))


def _begin_recording(run_directory: str, pins: dict[str, Any]) -> None:
    """Only the first process of a run owns the stream `main`; the others are pinned alone."""
    try:
        writer = StreamWriter(os.path.join(run_directory, TRACE_DIRECTORY, MAIN_STREAM))
    except FileExistsError:
        return
    active = recorder.begin(writer)
    active.event("hello", schema=SCHEMA, digest=DIGEST_ID, pins=pins, **machine.describe())


def _meet(location: str, pins: dict[str, Any], name: str) -> None:
    """Pins and observes a framework that the user's code has just imported.

    This runs inside their import: whatever fails here is told, and never reaches them.
    """
    active = recorder.current()
    try:
        framework = frameworks.load(location)
        results = {source: _pinned(framework, source, value) for source, value in pins.items()}
        if active is None:
            _tell_of_other_process(name)
            return
        active.event("framework", name=framework.name, version=framework.version())
        for source, done in results.items():
            if done is not None:
                active.event("pinned", framework=framework.name, source=source, **done._asdict())
        active.add_effective(framework.effective)
        framework.observe(active)
    except Exception:
        if active is not None:
            active.trouble(f"meet {name}")


def _pinned(framework: Framework, source: str, value: Any) -> Done | None:
    try:
        return framework.pin(source, value)
    except Exception as error:
        return Done(missed=(f"{source} of {framework.name}: {error!r}",))


def _tell_of_other_process(name: str) -> None:
    """A process beside the recorded one may train too, and nobody looks at it."""
    if name in TRAINERS:
        place = os.path.join(os.environ[RUN_VARIABLE], TRACE_DIRECTORY, OTHERS_FILE)
        with open(place, "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {name}\n")
