"""Carries out launches as processes of this machine, each behind a guard of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seedproof.inside.run_directory import RUN_VARIABLE
from seedproof.launch import Launch
from seedproof.runner import guard
from seedproof.runner.base import GUARD_LOST, VIEW_FILE, Exit
from seedproof.runner.moved import moved
from seedproof.runner.private import scratch, trees
from seedproof.runner.starter import started
from seedproof.runner.stdin import EmptyInput, StandardInput
from seedproof.runner.view import looking_for_view
from seedproof.runner.ways import NAMESPACES, ViewPlan

_GUARD = Path(guard.__file__)


class LocalRunner:
    """Starts every launch at once, in a fresh process.

    `runs` is the directory that holds the directories of all runs and nothing else that matters;
    launches with a private view need it. `stdin` is what each run reads.
    """

    def __init__(self, runs: Path | None = None, stdin: StandardInput | None = None) -> None:
        self._runs = runs
        self._stdin = stdin or EmptyInput()
        self._looking: dict[tuple[str, bool], Callable[[], ViewPlan]] = {}
        self._plans: dict[tuple[str, bool], ViewPlan] = {}

    def look_for_view(self, directory: str, moved: bool = False) -> None:
        """Begins to try how runs get a private view of `directory` (`moved`: under another path);
        UsageError where it is known at once that they cannot."""
        assert self._runs is not None, "private views need to know where the runs are"
        if (directory, moved) not in self._looking:
            namespaces = () if moved else NAMESPACES
            looking = looking_for_view(Path(directory), self._runs, namespaces)
            self._looking[directory, moved] = looking

    def view(self, directory: str, moved: bool = False) -> ViewPlan:
        """How they get it, tried out once; UsageError where they cannot."""
        if (directory, moved) not in self._plans:
            self.look_for_view(directory, moved)
            self._plans[directory, moved] = self._looking[directory, moved]()
        return self._plans[directory, moved]

    def start(self, launch: Launch, directory: Path) -> LocalRun:
        """Starts `launch`; see `Runner.start`."""
        plan = None if launch.view == "shared" else self._plan(launch, directory)
        with self._stdin.for_run() as descriptor:
            return LocalRun(launch, directory, plan, descriptor)

    def _plan(self, launch: Launch, directory: Path) -> ViewPlan:
        plan = self.view(launch.directory, launch.view == "moved")
        assert plan.hidden is None or directory.resolve().is_relative_to(plan.hidden)
        return plan


class LocalRun:
    """One guarded process, which reads from the descriptor `stdin` (nothing, where it is None)."""

    def __init__(
        self,
        launch: Launch,
        directory: Path,
        plan: ViewPlan | None = None,
        stdin: int | None = None,
    ) -> None:
        directory = directory.resolve()
        self._exit: Exit | None = None
        self._told = False
        self._mark = launch.environment.get(RUN_VARIABLE)
        self._scratch: str | None = None
        view = None
        if plan is not None:
            name = scratch.new_name()
            view = {**plan.to_json(), "name": name}
            self._scratch = scratch.path_of(plan.place, name)
            launch = moved(launch, scratch.tree_of(plan.place, name)) if plan.moved else launch
            _tell_of_view(directory, plan, launch.directory)
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            pass_fds=() if stdin is None else (stdin,),
        )
        order = {
            **launch.to_json(),
            "command": started(launch.first, launch.command),
            "environment": dict(launch.environment),
            "run": str(directory),
            "view": view,
            "stdin": stdin,
        }
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
        if self._scratch:
            trees.remove(self._scratch)
        return Exit(None, 0.0, 0.0, stopped=GUARD_LOST)

    def stop(self, reason: str) -> None:
        """Ends it and everything that it started; said once, the first reason counts."""
        if not self._told and self._exit is None:
            self._told = True
            self._tell(reason)


def _tell_of_view(directory: Path, plan: ViewPlan, root: str) -> None:
    """For what runs inside, and for people."""
    told: dict[str, Any] = {"root": root, "way": plan.way, "namespace": plan.namespace}
    told |= {"directory": plan.directory, "shared": list(plan.shared), "notes": list(plan.notes)}
    (directory / VIEW_FILE).write_text(json.dumps(told), "utf-8")
