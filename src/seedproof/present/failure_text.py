"""What to say of runs that did not end well: one line each, with the end of their output."""

from __future__ import annotations

import signal
from pathlib import Path

from seedproof.checking.outcome import ArmOutcome, RunOutcome
from seedproof.checking.store import Store
from seedproof.present.words import shown
from seedproof.runner.base import STDERR_FILE, Exit

_TAIL_BYTES = 1 << 13
_NOT_LOADED = (
    "the recording did not load: it comes in through PYTHONPATH, which python -I, -E and -S and "
    "programs that are no Python leave unread; start it without them"
)


def failures_as_text(arm: ArmOutcome, store: Store) -> list[str]:
    """One line per way in which runs of this arm went wrong; the same way is said once."""
    said: dict[str, list[int]] = {}
    for run in arm.runs:
        log = store.run(run.planned.arm, run.planned.index) / STDERR_FILE
        line = _failure(run, log, needs_recording=not arm.outputs)
        if line:
            said.setdefault(line, []).append(run.planned.index)
    return [_line(arm, indices, line, store) for line, indices in said.items()]


def _line(arm: ArmOutcome, indices: list[int], line: str, store: Store) -> str:
    log = store.run(arm.arm.name, indices[0]) / STDERR_FILE
    return f"{arm.arm.name}, {_runs(indices)}: {line} (see {log})"


def _failure(run: RunOutcome, log: Path, needs_recording: bool) -> str:
    end = run.end
    if end is None or end.stopped == "diverged":
        return ""
    if end.stopped == "timeout":
        return "stopped by --timeout before its end"
    if end.trouble:
        return f"could not be run: {shown(end.trouble, 300)}"
    if end.returncode == 0 and end.unkept:
        return f"what it wrote could not be kept: {shown(end.unkept, 300)}"
    if end.returncode == 0:
        return _NOT_LOADED if run.unseen and needs_recording else ""
    ended = f"{_how_it_ended(end)}: {_last_words(log)}"
    return f"{ended}; {_NOT_LOADED}" if run.unseen and needs_recording else ended


def _how_it_ended(end: Exit) -> str:
    assert end.returncode is not None
    if end.returncode >= 0:
        return f"the script ended with status {end.returncode}"
    try:
        return f"the script was killed by {signal.Signals(-end.returncode).name}"
    except ValueError:
        return f"the script was killed by signal {-end.returncode}"


def _last_words(log: Path) -> str:
    """The last line of the script's standard error."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shown(lines[-1], 300) if lines else "it said nothing"


def _runs(indices: list[int]) -> str:
    return ("run " if len(indices) == 1 else "runs ") + ", ".join(map(str, indices))
