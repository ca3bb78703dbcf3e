"""What to say of runs that did not end well: one line each, with the end of their output."""

from __future__ import annotations

import shutil
import signal
from collections import deque
from pathlib import Path

from seedproof.checking.outcome import ArmOutcome, RunOutcome
from seedproof.checking.store import Store
from seedproof.present.words import shown
from seedproof.runner.base import STDERR_FILE, Exit

_FULL_BYTES = 1 << 16
_TAIL_LINES = 4


def failures_as_text(arm: ArmOutcome, store: Store) -> list[str]:
    """One line per way in which runs of this arm went wrong; the same way is said once."""
    said: dict[str, list[int]] = {}
    for run in arm.runs:
        line = _failure(run, store)
        if line:
            said.setdefault(line, []).append(run.planned.index)
    return [f"{arm.arm.name}, {_runs(indices)}: {line}" for line, indices in said.items()]


def _failure(run: RunOutcome, store: Store) -> str:
    end = run.end
    if end is None or end.stopped == "diverged":
        return ""
    directory = store.run(run.planned.arm, run.planned.index)
    if end.stopped == "timeout":
        return f"stopped by --timeout after {end.seconds:.0f} s, at step {run.steps}"
    if (end.returncode != 0 or not run.completed) and _disk_is_full(store.root):
        return f"the disk that holds {store.root} is full; free some space, then add --continue"
    if end.trouble:
        return f"could not be run: {end.trouble}"
    if end.returncode == 0:
        return ""
    return f"{_how_it_ended(end)}: {_last_words(directory / STDERR_FILE)}"


def _how_it_ended(end: Exit) -> str:
    assert end.returncode is not None
    if end.returncode >= 0:
        return f"the script ended with status {end.returncode}"
    try:
        return f"the script was killed by {signal.Signals(-end.returncode).name}"
    except ValueError:
        return f"the script was killed by signal {-end.returncode}"


def _last_words(path: Path) -> str:
    """The last line of the script's standard error, and where the rest is."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in deque(file, _TAIL_LINES) if line.strip()]
    except OSError:
        lines = []
    last = shown(lines[-1], 300) if lines else "it said nothing"
    return f"{last} ({path})"


def _disk_is_full(directory: Path) -> bool:
    return shutil.disk_usage(directory).free < _FULL_BYTES


def _runs(indices: list[int]) -> str:
    return ("run " if len(indices) == 1 else "runs ") + ", ".join(map(str, indices))
