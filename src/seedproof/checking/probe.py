"""Tries a policy on the frameworks of an interpreter, in a fresh process, and tells what it did."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedproof import frameworks
from seedproof.checking import plan
from seedproof.checking.conduct import recorded
from seedproof.errors import SeedproofError
from seedproof.inside.run_directory import TRACE_DIRECTORY
from seedproof.launch import Value
from seedproof.runner.base import STDERR_FILE, Running
from seedproof.runner.local import LocalRunner
from seedproof.sources import CATALOGUE
from seedproof.trace.reader import Stream, main_stream

_LOOK_SECONDS = 0.03
_LONGEST_SECONDS = 120.0
_IMPORT_ALL = """
import importlib, importlib.util
for name in {names!r}:
    try:
        if importlib.util.find_spec(name): importlib.import_module(name)
    except Exception: pass
"""


@dataclass(frozen=True)
class Probe:
    """What a process found and what its pins did, as the events of its trace; `effective` has the
    values found in force by source, more than one where frameworks do not agree."""

    hello: Mapping[str, Any]
    versions: Mapping[str, str]
    pinned: tuple[Mapping[str, Any], ...]
    effective: Mapping[str, tuple[Any, ...]]


def probe(interpreter: str, pins: Mapping[str, Value]) -> Probe:
    """Imports every known framework that `interpreter` has, pinned; raises SeedproofError where
    the process cannot be recorded."""
    names = [name for name in frameworks.KNOWN if name != "sys"]
    launch = plan.base_launch([interpreter, "-c", _IMPORT_ALL.format(names=names)])
    arm = plan.arm("probe", pins, launch, [plan.BARE])
    with tempfile.TemporaryDirectory(prefix="seedproof-") as place:
        directory = Path(place)
        _wait(LocalRunner().start(recorded(arm.runs[0].launch, directory), directory))
        stream = main_stream(directory / TRACE_DIRECTORY)
        stream.refresh()
        return _read(stream, interpreter, directory / STDERR_FILE)


def _wait(running: Running) -> None:
    began = time.monotonic()
    while running.finished() is None:
        if time.monotonic() - began > _LONGEST_SECONDS:
            running.stop("timeout")
        time.sleep(_LOOK_SECONDS)


def _read(stream: Stream, interpreter: str, errors: Path) -> Probe:
    if stream.hello is None:
        said = errors.read_text("utf-8", "replace").strip().splitlines() if errors.exists() else []
        raise SeedproofError(f"{interpreter}: {said[-1] if said else 'it could not be recorded'}")
    told = stream.all("effective")
    return Probe(
        hello=stream.hello,
        versions={event["name"]: event["version"] for event in stream.all("framework")},
        pinned=tuple(stream.all("pinned")),
        effective={
            source: tuple(dict.fromkeys(event[source] for event in told if source in event))
            for source in CATALOGUE
        },
    )


def contradictions(pins: Mapping[str, Value]) -> list[str]:
    """What the user's environment says against these pins, as the error would say it."""
    found = []
    for name, value in pins.items():
        try:
            plan.refuse_contradictions({name: value}, (), os.environ)
        except SeedproofError as error:
            found.append(str(error))
    return found
