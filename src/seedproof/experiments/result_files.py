"""The article's text files, kept up to date while the demo runs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from seedproof.checking import plan
from seedproof.checking.arm_state import ArmState
from seedproof.checking.conduct import Watcher
from seedproof.checking.store import Store
from seedproof.compare.metrics import final_metrics
from seedproof.errors import UsageError
from seedproof.experiments.article_results import append_run
from seedproof.runner.base import Exit
from seedproof.trace.reader import Stream

_FILES = {"seeded": "without_tf_option", "deterministic": "with_tf_option"}


class ResultFiles:
    """The article's text files: bare repeats in one, varied runs in another, timed ones in none."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def refuse_unwritable(self) -> None:
        """UsageError where the directory cannot be had, before anything is removed."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._directory):
                pass
        except OSError as error:
            raise UsageError(
                f"--results {self._directory}: it cannot be written ({error.strerror}); name a "
                "directory of yours, for example --results results"
            ) from None

    def start_afresh(self) -> None:
        """Removes old results."""
        for arm in _FILES:
            for suffix in ("", ".varied"):
                self._path(arm, suffix).unlink(missing_ok=True)

    def append(self, run: plan.PlannedRun, end: Exit, stream: Stream) -> None:
        """One finished run, stamped with the time of its end."""
        if run.solo or end.returncode != 0 or end.stopped is not None:
            return
        stream.refresh()
        metrics = final_metrics(stream)
        loss, accuracy = metrics.get("loss", {}), metrics.get("accuracy", {})
        rows = [(fold, loss[fold], accuracy[fold]) for fold in sorted(loss)]
        stamp = datetime.fromtimestamp(end.ended).astimezone()
        append_run(self._path(run.arm, "" if run.bare else ".varied"), stamp, rows)

    def _path(self, arm: str, suffix: str) -> Path:
        return self._directory / f"{_FILES[arm]}{suffix}.txt"


class Appending:
    """A watcher that also appends each finished run to its file."""

    def __init__(self, watcher: Watcher, files: ResultFiles) -> None:
        self._watcher = watcher
        self._files = files
        self._states: Mapping[str, ArmState] = {}

    def begin(self, states: Mapping[str, ArmState], store: Store) -> None:
        """Starts the files afresh, with the runs that an interrupted demo has finished."""
        self._states = states
        self._files.start_afresh()
        runs = [run for state in states.values() for run in state.arm.runs]
        done = [(end, run) for run in runs if (end := store.exit(run.arm, run.index)) is not None]
        for end, run in sorted(done, key=lambda item: item[0].ended):
            self._files.append(run, end, states[run.arm].traces[run.index].main)

    def started(self, run: plan.PlannedRun) -> None:
        """Passed on."""
        self._watcher.started(run)

    def progress(self, run: plan.PlannedRun, steps: int) -> None:
        """Passed on."""
        self._watcher.progress(run, steps)

    def finished(self, run: plan.PlannedRun, end: Exit) -> None:
        """Appended, then passed on."""
        self._files.append(run, end, self._states[run.arm].traces[run.index].main)
        self._watcher.finished(run, end)

    def note(self, text: str) -> None:
        """Passed on."""
        self._watcher.note(text)
