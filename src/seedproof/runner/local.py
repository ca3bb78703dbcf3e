"""Carries out launches as processes of this machine, each behind a guard of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from seedproof.inside.start import RUN_VARIABLE
from seedproof.launch import Launch
from seedproof.runner import guard
from seedproof.runner.base import GUARD_LOST, Exit

_GUARD = Path(guard.__file__)


class LocalRunner:
    """Starts every launch at once, in a fresh process."""

    def start(self, launch: Launch, directory: Path) -> LocalRun:
        """Starts `launch`; see `Runner.start`."""
        return LocalRun(launch, directory)


class LocalRun:
    """One guarded process."""

    def __init__(self, launch: Launch, directory: Path) -> None:
        order = {**launch.to_json(), "environment": dict(launch.environment), "run": str(directory)}
        self._exit: Exit | None = None
        self._told = False
        self._mark = launch.environment.get(RUN_VARIABLE)
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._tell(json.dumps(order))

    def _tell(self, line: str) -> None:
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(line + "\n")
            self._guard.stdin.flush()

    def finished(self) -> Exit | None:
        """How it ended, or None while it runs."""
        if self._exit is None and self._guard.poll() is not None:
            self._exit = self._read_exit()
        return self._exit

    def _read_exit(self) -> Exit:
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        with self._guard.stdout as stream:
            text = stream.read()
        try:
            return Exit.from_json(json.loads(text))
        except (ValueError, KeyError, TypeError):
            return self._without_guard()

    def _without_guard(self) -> Exit:
        """The guard was killed: what it guarded is ended from here."""
        if self._mark:
            guard.end_marked(RUN_VARIABLE, self._mark)
        return Exit(None, 0.0, 0.0, stopped=GUARD_LOST)

    def stop(self, reason: str) -> None:
        """Ends it and everything that it started; said once, the first reason counts."""
        if not self._told and self._exit is None:
            self._told = True
            self._tell(reason)
