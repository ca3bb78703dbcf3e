"""Where a check is kept: a directory that can be read at any time, and gone on with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedproof.errors import SeedproofError, UsageError
from seedproof.inside.kept_runs import fresh_place
from seedproof.inside.run_directory import LAUNCH_FILE, OURS
from seedproof.launch import Launch
from seedproof.runner.base import EXIT_FILE, IN_USE_FILE, Exit

PLAN_FILE = "check.json"
RESULT_FILE = "result.json"
CHECKS = "checks"
_FULL_BYTES = 1 << 16
_OLD_GUARD_SECONDS = 15.0  # longer than a guard takes to end its run once the parent is lost
_LOOK_SECONDS = 0.03


@dataclass(frozen=True)
class Store:
    """One check's directory: `check.json` (what was asked), `ARM/N/` (the runs), `result.json`."""

    root: Path

    @classmethod
    def create(cls, directory: Path, request: dict[str, Any], kind: str = CHECKS) -> Store:
        """A new check, or single run, under `directory`, which ignores itself in git."""
        try:
            store = cls(Path(fresh_place(str(directory), kind)))
            _take(store.root)
            store.write(PLAN_FILE, request)
        except OSError as error:
            raise _unusable(directory, error) from None
        return store

    @classmethod
    def unfinished(cls, directory: Path, verb: str) -> tuple[Store, dict[str, Any]]:
        """What `verb` began last under `directory`, has no result and is at work no more; and
        what was asked."""
        for root in sorted((directory / CHECKS).glob("*"), reverse=True):
            request = _read_json(root / PLAN_FILE)
            unfinished = request is not None and not (root / RESULT_FILE).exists()
            if request and unfinished and request.get("verb") == verb and _take(root):
                return cls(root), request
        raise UsageError(
            f"--continue: found no interrupted {verb} in {directory}; start one without it"
        )

    def run(self, arm: str, index: int) -> Path:
        """The directory of a run."""
        return self.root / arm / str(index)

    def clear_run(self, arm: str, index: int) -> None:
        """Removes what a run has left, once nobody uses it any more."""
        directory = self.run(arm, index)
        if directory.exists():
            _wait_for_old_guard(directory)
            shutil.rmtree(directory)

    def fresh_run(self, arm: str, index: int) -> Path:
        """The directory of a run, emptied."""
        self.clear_run(arm, index)
        directory = self.run(arm, index)
        directory.mkdir(parents=True)
        return directory

    def exit(self, arm: str, index: int) -> Exit | None:
        """How the run ended, None where it has not, or was stopped half-way."""
        fields = _read_json(self.run(arm, index) / EXIT_FILE)
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if fields is not None and Exit.from_json(fields).stopped in (
                None,
                "diverged",
                "timeout",
            ):
                return Exit.from_json(fields)
        return None

    def was_started_as(self, arm: str, index: int, launch: Launch) -> bool:
        """Whether the run was started by the same launch."""
        planned: dict[str, Any] = json.loads(json.dumps(launch.to_json()))
        found = _read_json(self.run(arm, index) / LAUNCH_FILE) or {}
        return planned == {name: value for name, value in found.items() if name != OURS}

    def forget_exit(self, arm: str, index: int) -> None:
        """As if the run had not ended, so that it is run again."""
        (self.run(arm, index) / EXIT_FILE).unlink(missing_ok=True)

    def is_full(self) -> bool:
        """Whether its disk has no room left."""
        return shutil.disk_usage(self.root).free < _FULL_BYTES

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Writes a file whole or not at all."""
        write_json(self.root / name, content)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON whole or not at all."""
    partial = path.with_name(path.name + ".new")
    try:
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _take(directory: Path) -> int | None:
    """Keeps `directory` for this process until the descriptor is closed, at the latest when the
    process ends; None where another one has it."""
    descriptor = os.open(directory / IN_USE_FILE, os.O_RDWR | os.O_CREAT)
    if sys.platform == "win32":  # it has no such locks
        return descriptor
    import fcntl

    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    except OSError:
        pass  # a file system without locks
    return descriptor


def _wait_for_old_guard(run: Path) -> None:
    """After a parent was killed, its guards still take a moment to end their runs."""
    deadline = time.monotonic() + _OLD_GUARD_SECONDS
    while (descriptor := _take(run)) is None:
        if time.monotonic() > deadline:
            raise SeedproofError(f"{run} is still in use by an earlier run; end it, then go on")
        time.sleep(_LOOK_SECONDS)
    os.close(descriptor)


def _read_json(path: Path) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict):
            return content
    return None


def _unusable(directory: Path, error: OSError) -> UsageError:
    reason = error.strerror or str(error)
    return UsageError(
        f"--dir {directory}: runs cannot be kept there ({reason.lower()}); name a directory that "
        "can be written: --dir PATH"
    )
