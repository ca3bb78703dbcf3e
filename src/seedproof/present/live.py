"""What people see while runs go on: bars on a terminal, one line per event elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from seedproof.checking.plan import Arm, PlannedRun
from seedproof.checking.store import Store
from seedproof.runner.base import Exit

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


_CONTROLS = {"perturbed": "control: one bit flipped", "end": "control: recorded at its end"}


def watcher(
    arms: Iterable[Arm], store: Store, stream: TextIO | None = None, *, plain: bool = False
) -> LineWatcher | BarWatcher:
    """The watcher that suits where the output goes (standard error); it counts the runs that an
    interrupted check has not finished. `plain`: lines alone, since other output comes between."""
    runs = [run for arm in arms for run in (*arm.runs, *arm.controls)]
    total = sum(store.exit(run.arm, run.index) is None for run in runs)
    out = sys.stderr if stream is None else stream
    return BarWatcher(total, out) if out.isatty() and not plain else LineWatcher(total, out)


def _title(run: PlannedRun) -> str:
    varied = " ".join(f"{name}={value}" for name, value in run.launch.varied.items())
    special = _CONTROLS.get(run.control) or ("timed alone" if run.solo else varied)
    note = f" ({special})" if special else ""
    return f"{run.arm} run {run.index}{note}"


def _outcome(end: Exit) -> str:
    if end.stopped == "diverged":
        return "stopped, the verdict is out"
    if end.stopped:
        return f"stopped: {end.stopped}"
    if end.returncode is None:
        return "could not be run"
    return "done" if end.returncode == 0 else f"failed with status {end.returncode}"


class LineWatcher:
    """One line per run that ended."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._out = out
        self._ended = 0

    def __enter__(self) -> LineWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def started(self, run: PlannedRun) -> None:
        """Nothing to say yet."""

    def progress(self, run: PlannedRun, steps: int) -> None:
        """Nothing to say yet."""

    def finished(self, run: PlannedRun, end: Exit) -> None:
        """The line."""
        self._ended += 1
        self._out.write(
            f"[{self._ended}/{self._total}] {_title(run)}: {_outcome(end)}, {end.seconds:.1f} s\n"
        )
        self._out.flush()

    def note(self, text: str) -> None:
        """A line of its own."""
        self._out.write(text + "\n")
        self._out.flush()


class BarWatcher:
    """A line per run that is going on, and a bar for the whole."""

    def __init__(self, total: int, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"))
        self._progress: Progress = Progress(
            *columns, TimeElapsedColumn(), console=Console(file=out), transient=True
        )
        self._whole = self._progress.add_task("all runs", total=total, now=f"0 of {total}")
        self._total = total
        self._ended = 0
        self._tasks: dict[tuple[str, int], TaskID] = {}

    def __enter__(self) -> BarWatcher:
        self._progress.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, run: PlannedRun) -> None:
        """A line for the run."""
        self._tasks[run.arm, run.index] = self._progress.add_task(
            _title(run), total=None, now="starting"
        )

    def progress(self, run: PlannedRun, steps: int) -> None:
        """How far it is."""
        now = f"step {steps}" if steps else "starting"
        self._progress.update(self._tasks[run.arm, run.index], now=now)

    def finished(self, run: PlannedRun, end: Exit) -> None:
        """Its line goes, the bar moves on."""
        if end.stopped is None and end.returncode != 0:
            self._progress.console.print(f"{_title(run)}: {_outcome(end)}", markup=False)
        self._progress.remove_task(self._tasks.pop((run.arm, run.index)))
        self._ended += 1
        self._progress.update(self._whole, advance=1, now=f"{self._ended} of {self._total}")

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._progress.console.print(text, markup=False)
