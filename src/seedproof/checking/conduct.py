"""Carries out the runs of a check, compares them while they run, and stops what need not run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seedproof.checking.arm_state import ArmState
from seedproof.checking.forecast import Forecast
from seedproof.checking.plan import Arm, PlannedRun
from seedproof.checking.store import Store, write_json
from seedproof.errors import SeedproofError
from seedproof.inside.machine import visible_cores
from seedproof.inside.run_directory import LAUNCH_FILE, OURS, RUN_VARIABLE
from seedproof.launch import Launch
from seedproof.runner.accelerator import accelerator_visible
from seedproof.runner.base import GUARD_LOST, Exit, Runner, Running
from seedproof.runner.show import Show

_LOOK_SECONDS = 0.02
_LOOK_SECONDS_AT_THE_END = 0.005  # when all that is waited for are processes that were told to end
_MULTIPLE = 64
_BOOTSTRAP = Path(__file__).parents[1] / "inside" / "bootstrap"


class Watcher(Protocol):
    """Sees what happens, for people who wait."""

    def started(self, run: PlannedRun) -> None:
        """A run has been started."""

    def progress(self, run: PlannedRun, steps: int) -> None:
        """A run has recorded so many steps."""

    def finished(self, run: PlannedRun, end: Exit) -> None:
        """A run has ended."""

    def note(self, text: str) -> None:
        """Something is worth knowing meanwhile."""


@dataclass
class _Active:
    run: PlannedRun
    running: Running
    began: float
    show: Show | None


class Conductor:
    """Places runs side by side as the cores allow, and looks at all of them in turn."""

    def __init__(
        self,
        arms: Sequence[Arm],
        store: Store,
        runner: Runner,
        watcher: Watcher,
        *,
        jobs: int | None = None,
        timeout: float | None = None,
        keep_going: bool = False,
        show: bool = False,
        accelerator: Callable[[Mapping[str, str]], bool] = accelerator_visible,
    ) -> None:
        self.states = {arm.name: ArmState(arm, store) for arm in arms}
        self._store = store
        self._runner = runner
        self._watcher = watcher
        self._jobs = jobs
        self._timeout = timeout
        self._keep_going = keep_going
        self._show = show
        self._accelerator = accelerator
        self._waiting = _in_order(arms)
        self._active: dict[tuple[str, int], _Active] = {}
        self._forecast = Forecast(len(self._waiting))
        self._forget_other_starts()

    def conduct(self) -> None:
        """Runs everything that is not on disk yet. Ctrl-C stops what runs and is raised again."""
        self._take_finished()
        try:
            while self._waiting or self._active:
                self._start_what_fits()
                self._collect()
                self._compare()
                if self._active:
                    time.sleep(self._pause())
        except BaseException:
            self._stop_all("interrupted")
            raise
        for state in self.states.values():
            state.advance()

    def _pause(self) -> float:
        known = not self._keep_going and all(state.settled() for state in self.states.values())
        return _LOOK_SECONDS_AT_THE_END if known else _LOOK_SECONDS

    def _forget_other_starts(self) -> None:
        """Runs that an earlier check has started otherwise, as in another environment, are no
        evidence beside those of now."""
        for run in self._waiting:
            if not self._store.was_started_as(run.arm, run.index, run.launch):
                self._store.forget_exit(run.arm, run.index)

    def _take_finished(self) -> None:
        """Runs that an earlier, interrupted check has finished need not run again; of the others
        nothing is read."""
        for run in list(self._waiting):
            end = self._store.exit(run.arm, run.index)
            if end is None:
                self._store.clear_run(run.arm, run.index)
            else:
                self._waiting.remove(run)
                self.states[run.arm].begun.add(run.index)
                self.states[run.arm].exits[run.index] = end
        self._compare()

    def _start_what_fits(self) -> None:
        while self._waiting and self._fits(self._waiting[0]):
            run = self._waiting.pop(0)
            directory = self._store.fresh_run(run.arm, run.index)
            self.states[run.arm].begun.add(run.index)
            running = self._runner.start(recorded(run.launch, directory), directory)
            show = self._shown(run, directory) if self._show else None
            self._active[run.arm, run.index] = _Active(run, running, time.monotonic(), show)
            self._watcher.started(run)

    def _shown(self, run: PlannedRun, directory: Path) -> Show:
        runs = [one for state in self.states.values() for one in state.arm.runs]
        return Show(directory, f"{run.arm} {run.index}" if len(runs) > 1 else "")

    def _fits(self, run: PlannedRun) -> bool:
        active = [other.run for other in self._active.values()]
        if not active:
            return True
        if run.solo or any(other.solo for other in active):
            return False
        if self._jobs is not None:
            return len(active) < self._jobs
        if any(self._needs_accelerator(other) for other in (run, *active)):
            return False
        return run.cores + sum(other.cores for other in active) <= visible_cores()

    def _needs_accelerator(self, run: PlannedRun) -> bool:
        launch = run.launch
        return self._accelerator({**launch.environment, **launch.inside_environment})

    def _collect(self) -> None:
        for key, active in list(self._active.items()):
            end = active.running.finished()
            if end is None:
                self._look_at(active)
                continue
            del self._active[key]
            if active.show is not None:
                active.show.finish()
            self._refuse_what_says_nothing(active.run, end)
            self.states[active.run.arm].exits[active.run.index] = end
            self._watcher.finished(active.run, end)

    def _look_at(self, active: _Active) -> None:
        now, state = time.monotonic(), self.states[active.run.arm]
        trace = state.traces[active.run.index]
        if active.show is not None:
            active.show.look()
        self._watcher.progress(active.run, trace.watermark())
        if active.run.index == 0:
            planned = sum(event["steps"] for event in trace.all("planned")) or None
            line = self._forecast.look(trace.watermark(), planned, len(self._active), now)
            if line:
                self._watcher.note(line)
        if self._timeout is not None and now - active.began > self._timeout:
            active.running.stop("timeout")
        if state.was_seen(active.run.index):
            active.running.stop("diverged")

    def _refuse_what_says_nothing(self, run: PlannedRun, end: Exit) -> None:
        """What went wrong outside of the script ends the check; `--continue` runs it again."""
        if end.stopped == GUARD_LOST:
            raise SeedproofError(
                f"the process that guarded run {run.index} of {run.arm} was killed; go on with "
                "--continue"
            )
        trace = self.states[run.arm].traces[run.index]
        trace.refresh()
        if (end.returncode != 0 or not trace.ended) and self._store.is_full():
            self._store.forget_exit(run.arm, run.index)
            raise SeedproofError(
                f"the disk that holds {self._store.root} is full; free some space, then go on "
                "with --continue"
            )

    def _compare(self) -> None:
        for state in self.states.values():
            state.advance()
            if not self._keep_going and state.settled():
                self._give_up(state.arm.name)

    def _give_up(self, arm: str) -> None:
        """The arm has its verdict: its other runs could not change it."""
        self._waiting = [run for run in self._waiting if run.arm != arm]
        for active in self._active.values():
            if active.run.arm == arm:
                active.running.stop("diverged")

    def _stop_all(self, reason: str) -> None:
        for active in self._active.values():
            active.running.stop(reason)
        while any(active.running.finished() is None for active in self._active.values()):
            time.sleep(_LOOK_SECONDS)


def _in_order(arms: Sequence[Arm]) -> list[PlannedRun]:
    """Arm after arm, so that the first verdict comes soon; then the timed runs, interleaved."""
    shared = [run for arm in arms for run in (*arm.runs, *arm.controls) if not run.solo]
    solo = [[run for run in arm.runs if run.solo] for arm in arms]
    pairs = [pair if at % 2 == 0 else pair[::-1] for at, pair in enumerate(zip(*solo, strict=True))]
    return shared + [run for pair in pairs for run in pair]


def recorded(launch: Launch, directory: Path) -> Launch:
    """The launch with the way in for what records it, and finds it in the directory."""
    path = [str(_BOOTSTRAP)]
    if "PYTHONPATH" in launch.environment:
        path.append(launch.environment["PYTHONPATH"])
    place = _as_long_as_others(directory.resolve())
    variables = {RUN_VARIABLE: place}
    if launch.view != "shared":
        variables |= _own_caches(place, launch.environment)
    path_found = launch.with_environment({"PYTHONPATH": os.pathsep.join(path)})
    with_way_in = path_found.with_our_environment(variables)
    write_json(directory / LAUNCH_FILE, {**launch.to_json(), OURS: list(with_way_in.ours)})
    return with_way_in


def _as_long_as_others(directory: Path) -> str:
    """The same path with slashes after it: where runs 9 and 10, or their arms, have names of other
    lengths, what lies behind it in memory moves."""
    own = len(directory.name) + len(directory.parent.name)
    return str(directory) + os.sep * (_MULTIPLE - own % _MULTIPLE)


def _own_caches(place: str, found: Mapping[str, str]) -> dict[str, str]:
    """Places for what compilers keep between runs: a run must not find what another one left."""
    always = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUDA_CACHE_PATH")
    where_used = ("JAX_COMPILATION_CACHE_DIR", "TORCH_EXTENSIONS_DIR", "NUMBA_CACHE_DIR")
    names = (*always, *(name for name in where_used if name in found))
    return {name: f"{place}caches/{name.lower()}" for name in names}
