"""Carries out the runs of a check, compares them while they run, and stops what need not run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from seedproof.checking.plan import Arm, PlannedRun
from seedproof.checking.store import Store, write_json
from seedproof.compare.divergence import Comparison
from seedproof.errors import SeedproofError
from seedproof.inside.machine import visible_cores
from seedproof.inside.start import LAUNCH_FILE, RUN_VARIABLE, TRACE_DIRECTORY
from seedproof.launch import Launch
from seedproof.runner.accelerator import accelerator_visible
from seedproof.runner.base import GUARD_LOST, Exit, Runner, Running
from seedproof.trace.reader import Stream, main_stream

_LOOK_SECONDS = 0.03
# Records reach the disk within a tenth of a second, those of one step not always in their order.
_LATE_RECORDS_SECONDS = 3.0
_BOOTSTRAP = Path(__file__).parents[1] / "inside" / "bootstrap"


class Watcher(Protocol):
    """Sees what happens, for people who wait."""

    def started(self, run: PlannedRun) -> None:
        """A run has been started."""

    def progress(self, run: PlannedRun, steps: int) -> None:
        """A run has recorded so many steps."""

    def finished(self, run: PlannedRun, end: Exit) -> None:
        """A run has ended."""


class ArmState:
    """What is known of an arm so far: its streams, its exits, its comparisons with run 0."""

    def __init__(self, arm: Arm, store: Store) -> None:
        self.arm = arm
        self.streams: dict[int, Stream] = {
            run.index: main_stream(store.run(arm.name, run.index) / TRACE_DIRECTORY)
            for run in arm.runs
        }
        self.begun: set[int] = set()
        self.exits: dict[int, Exit] = {}
        self.comparisons: dict[int, Comparison] = {
            run.index: Comparison(self.streams[0], self.streams[run.index]) for run in arm.runs[1:]
        }
        self._compared_to_the_end: set[int] = set()
        self._diverged_at: float | None = None

    def advance(self) -> None:
        """Compares what has been written since, of the runs that have begun."""
        if 0 not in self.begun:
            return
        for index in self.comparisons.keys() & self.begun - self._compared_to_the_end:
            comparison = self.comparisons[index]
            comparison.advance()
            if self._both_ended(index):
                self._compared_to_the_end.add(index)
            if self._diverged_at is None and comparison.first() is not None:
                self._diverged_at = time.monotonic()

    def settled(self) -> bool:
        """Whether the arm has diverged, and where is known: nothing earlier can still follow, or
        it would have by now."""
        if self._diverged_at is None:
            return False
        late = time.monotonic() - self._diverged_at > _LATE_RECORDS_SECONDS
        return late or any(
            comparison.settled() or (comparison.first() is not None and self._both_ended(index))
            for index, comparison in self.comparisons.items()
        )

    def _both_ended(self, index: int) -> bool:
        return 0 in self.exits and index in self.exits


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
        accelerator: Callable[[Mapping[str, str]], bool] = accelerator_visible,
    ) -> None:
        self.states = {arm.name: ArmState(arm, store) for arm in arms}
        self._store = store
        self._runner = runner
        self._watcher = watcher
        self._jobs = jobs
        self._timeout = timeout
        self._keep_going = keep_going
        self._accelerator = accelerator
        self._waiting = _in_order(arms)
        self._active: dict[tuple[str, int], tuple[PlannedRun, Running, float]] = {}
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
                    time.sleep(_LOOK_SECONDS)
        except BaseException:
            self._stop_all("interrupted")
            raise
        for state in self.states.values():
            state.advance()

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
            write_json(directory / LAUNCH_FILE, run.launch.to_json())
            self.states[run.arm].begun.add(run.index)
            running = self._runner.start(recorded(run.launch, directory), directory)
            self._active[run.arm, run.index] = (run, running, time.monotonic())
            self._watcher.started(run)

    def _fits(self, run: PlannedRun) -> bool:
        active = [other for other, _, _ in self._active.values()]
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
        now = time.monotonic()
        for key, (run, running, began) in list(self._active.items()):
            end = running.finished()
            if end is not None:
                del self._active[key]
                self._refuse_what_says_nothing(run, end)
                self.states[run.arm].exits[run.index] = end
                self._watcher.finished(run, end)
            else:
                self._watcher.progress(run, self.states[run.arm].streams[run.index].watermark())
                if self._timeout is not None and now - began > self._timeout:
                    running.stop("timeout")

    def _refuse_what_says_nothing(self, run: PlannedRun, end: Exit) -> None:
        """What went wrong outside of the script ends the check; `--continue` runs it again."""
        if end.stopped == GUARD_LOST:
            raise SeedproofError(
                f"the process that guarded run {run.index} of {run.arm} was killed; go on with "
                "--continue"
            )
        stream = self.states[run.arm].streams[run.index]
        stream.refresh()
        if (end.returncode != 0 or not stream.ended) and self._store.is_full():
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
        for run, running, _ in self._active.values():
            if run.arm == arm:
                running.stop("diverged")

    def _stop_all(self, reason: str) -> None:
        for _, running, _ in self._active.values():
            running.stop(reason)
        while any(running.finished() is None for _, running, _ in self._active.values()):
            time.sleep(_LOOK_SECONDS)


def _in_order(arms: Sequence[Arm]) -> list[PlannedRun]:
    """Arm after arm, so that the first verdict comes soon; then the timed runs, interleaved."""
    shared = [run for arm in arms for run in arm.runs if not run.solo]
    solo = [[run for run in arm.runs if run.solo] for arm in arms]
    pairs = [pair if at % 2 == 0 else pair[::-1] for at, pair in enumerate(zip(*solo, strict=True))]
    return shared + [run for pair in pairs for run in pair]


def recorded(launch: Launch, directory: Path) -> Launch:
    """The launch with the way in for what records it."""
    path = [str(_BOOTSTRAP)]
    if launch.environment.get("PYTHONPATH"):
        path.append(launch.environment["PYTHONPATH"])
    return launch.with_environment(
        {"PYTHONPATH": os.pathsep.join(path), RUN_VARIABLE: str(directory.resolve())}
    )
