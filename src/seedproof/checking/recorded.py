"""Runs that were recorded before, anywhere: found by the path that a person gives."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seedproof.errors import UsageError
from seedproof.inside.run_directory import LAUNCH_FILE, TRACE_DIRECTORY
from seedproof.runner.base import EXIT_FILE, Exit

_DEEPEST = 4  # .seedproof/checks/STAMP/ARM/N
_MOST_NAMED = 4


@dataclass(frozen=True)
class RecordedRun:
    """A run's directory; `end` is None where the guard has not seen it end (as in a notebook)."""

    directory: Path

    @property
    def command(self) -> list[str]:
        """What was run; empty where it is not known, as in a notebook."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            launch = json.loads((self.directory / LAUNCH_FILE).read_text("utf-8"))
            return list(map(str, launch["command"]))
        return []

    @property
    def target(self) -> list[str]:
        """The command as `check` takes it."""
        interpreter, *words = self.command or [""]
        is_plain = bool(words) and (words[0] == "-m" or not words[0].startswith("-"))
        if Path(interpreter).name.startswith("python") and is_plain:
            return words
        return ["--", *self.command] if self.command else []

    @property
    def end(self) -> Exit | None:
        """How it ended, as its guard wrote it down."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return Exit.from_json(json.loads((self.directory / EXIT_FILE).read_text("utf-8")))
        return None


def find(path: str) -> RecordedRun:
    """The one run at or below `path`; UsageError where there is none, or several."""
    root = Path(path)
    found = list(_runs(root, _DEEPEST))
    if not found:
        raise UsageError(
            f"{path}: found no recorded run; give a directory that seedproof run or check has "
            "kept, such as .seedproof/runs/…"
        )
    if len(found) > 1:
        named = ", ".join(str(run) for run in found[:_MOST_NAMED])
        more = ", …" if len(found) > _MOST_NAMED else ""
        raise UsageError(f"{path}: found {len(found)} runs; give one of them: {named}{more}")
    return RecordedRun(found[0])


def _runs(directory: Path, depth: int) -> Iterator[Path]:
    """The runs at or below a directory, in the order of their names."""
    if (directory / TRACE_DIRECTORY).is_dir() and (directory / LAUNCH_FILE).is_file():
        yield directory
    elif depth and directory.is_dir():
        for inner in sorted(directory.iterdir(), key=_by_number):
            if inner.is_dir() and not inner.is_symlink():
                yield from _runs(inner, depth - 1)


def _by_number(path: Path) -> tuple[int, str]:
    return (int(path.name) if path.name.isdecimal() else -1, path.name)
