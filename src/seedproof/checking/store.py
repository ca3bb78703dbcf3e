"""Where a check is kept: a directory that can be read at any time, and gone on with."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from seedproof.errors import UsageError
from seedproof.runner.base import EXIT_FILE, Exit

PLAN_FILE = "check.json"
RESULT_FILE = "result.json"
CHECKS = "checks"


@dataclass(frozen=True)
class Store:
    """One check's directory: `check.json` (what was asked), `ARM/N/` (the runs), `result.json`."""

    root: Path

    @classmethod
    def create(cls, directory: Path, request: dict[str, Any]) -> Store:
        """A new check under `directory`, which ignores itself in git."""
        try:
            (directory / CHECKS).mkdir(parents=True, exist_ok=True)
            ignore = directory / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            store = cls(_fresh(directory / CHECKS))
            store.write(PLAN_FILE, request)
        except OSError as error:
            raise _unusable(directory, error) from None
        return store

    @classmethod
    def unfinished(cls, directory: Path, verb: str) -> tuple[Store, dict[str, Any]]:
        """What `verb` began last under `directory` and has no result; and what was asked."""
        for root in sorted((directory / CHECKS).glob("*"), reverse=True):
            request = _read_json(root / PLAN_FILE)
            if request and request.get("verb") == verb and not (root / RESULT_FILE).exists():
                return cls(root), request
        raise UsageError(
            f"--continue: found no interrupted {verb} in {directory}; start one without it"
        )

    def run(self, arm: str, index: int) -> Path:
        """The directory of a run."""
        return self.root / arm / str(index)

    def fresh_run(self, arm: str, index: int) -> Path:
        """The same, emptied."""
        directory = self.run(arm, index)
        shutil.rmtree(directory, ignore_errors=True)
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

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Writes a file whole or not at all."""
        write_json(self.root / name, content)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON whole or not at all."""
    partial = path.with_name(path.name + ".new")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")
    partial.replace(path)


def _fresh(parent: Path) -> Path:
    """A directory that nobody else has, named so that names sort by time."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        path = parent / (f"{stamp}-{number}" if number else stamp)
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
    raise OSError(f"a thousand checks in one second in {parent}")


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
