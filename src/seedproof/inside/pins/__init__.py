"""What pins or varies a source inside the user's process: one file per source, named after it.

Each has `pin(value)`, `vary(value)` or both, which tell what they did. Standard library only; a
file is loaded only where its source is pinned, varied or noted.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any, Callable

from seedproof.inside import recorder
from seedproof.inside.import_hook import when_imported
from seedproof.inside.run_directory import LAUNCH_FILE, RUN_VARIABLE


def actor(source: str) -> Any:
    """The module that acts for `source`; None where Python itself has no part in it."""
    name = f"{__name__}.{source}"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def once_imported(name: str, act: Callable[[Any], object]) -> None:
    """Calls `act(module)` once the module is there; what fails in it never reaches who imports."""

    def react(_name: str) -> None:
        try:
            act(sys.modules[name])
        except Exception:
            active = recorder.current()
            if active is not None:
                active.trouble(f"act on {name}")

    when_imported(name, react)


def run_directory() -> str:
    """The directory of this run; empty outside of one."""
    return os.environ.get(RUN_VARIABLE, "")


def launch() -> dict[str, Any]:
    """How this run was started; empty outside of one."""
    try:
        with open(os.path.join(run_directory(), LAUNCH_FILE), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
            return found
    except OSError:
        return {}
