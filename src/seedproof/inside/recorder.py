"""Collects the records of this process and hands them to its stream.

There is at most one recorder in a process: `current()`. Host-side records are written at once;
what a framework computes inside its own graph, or on a device, is drained by a thread.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable, Sequence

from seedproof.inside import ending, leaves, numbers
from seedproof.inside.draining import Draining
from seedproof.inside.held_rows import HeldRows, Row
from seedproof.inside.kept_values import KeptValues
from seedproof.inside.own_steps import OwnSteps
from seedproof.inside.scope import END, Scope
from seedproof.inside.tables import Tables
from seedproof.trace.format import FINAL, HINT, Column

if TYPE_CHECKING:
    from seedproof.inside.process_stream import ProcessStream
    from seedproof.trace.writer import StreamWriter, TableWriter

MOST_TROUBLES = 20

_current: Recorder | None = None


def current() -> Recorder | None:
    """The recorder of this process, or None outside a recorded run."""
    return _current


def begin(stream: ProcessStream | StreamWriter, scope: Scope | None = None) -> Recorder:
    """Makes `stream` the trace of this process, until the interpreter ends."""
    global _current
    _current = Recorder(stream, scope)
    atexit.register(_current.finish)
    ending.before_exit(_current.finish)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_current.begin_anew)
    return _current


def clocks() -> dict[str, float]:
    """The times that every event bears, in seconds: since the epoch, by a clock that nobody sets,
    and of the processor."""
    return {"at": time.time(), "clock": time.perf_counter(), "cpu": time.process_time()}


class Recorder:
    """The records of one process, in the order of the trace."""

    def __init__(self, stream: ProcessStream | StreamWriter, scope: Scope | None = None) -> None:
        self._stream = stream
        self._scope = scope or Scope({})
        self._lock = threading.RLock()
        self._tables = Tables(stream.table, self.trouble)
        self.held = HeldRows(self._lock, self._write_rows, self._steps_written)
        self._counters: list[Callable[[], int]] = []
        self._draining = Draining(self._drained, self.trouble)
        self._values = KeptValues(stream)
        self._own_steps = OwnSteps()
        self._beside = OwnSteps()
        self._effective: list[Callable[[], dict[str, Any]]] = []
        self._reports_at_end: list[Callable[[], None]] = []
        self._unseen: set[str] = set()
        self._troubles = 0
        self._trouble_unsaid = False
        self._end_is_due = False
        self._finished = False
        self._finishing = threading.RLock()
        self.own_records = 0  # that the script has made by itself
        self.is_cut_short = False  # by us, as was asked

    # -- what this process is ------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """`steps`, or `end` where only what is there at the end is recorded."""
        return self._scope.mode

    @property
    def close(self) -> int | None:
        """The step at which every operation is to be looked at; None for no such."""
        return self._scope.close

    @property
    def trains(self) -> bool:
        """Whether this is the script's own process or a rank, not a worker of one: what workers
        do, they may share out otherwise in every run."""
        return "/worker" not in self.role and "/fork" not in self.role

    @property
    def role(self) -> str:
        """What this process is to its run; see `seedproof.inside.roles`."""
        role: str = getattr(self._stream, "role", "main")
        return role

    @property
    def notes(self) -> bool:
        """Whether to tell where the user's code uses a source."""
        return self._scope.notes

    @property
    def has_last_step(self) -> bool:
        """Whether the run is to end after so many updates."""
        return self._scope.steps is not None

    @property
    def is_to_be_perturbed(self) -> bool:
        """Whether `perturbs` is going to say so."""
        return self._scope.is_to_be_perturbed

    def perturbs(self) -> bool:
        """True once, in a run in which one bit is to be flipped before the first update: whoever
        asks does so, or the control shows nothing."""
        perturbs = self._scope.perturbs()
        if perturbs:
            self.event("perturbed")
        return perturbs

    # -- what happened, for the reader; it is not compared -------------------------------------

    def event(self, kind: str, **fields: Any) -> None:
        """Something that happened."""
        self._stream.event(kind, **clocks(), **fields)

    def unseen(self, what: str, since: int | None = None) -> None:
        """Says, once, what of the training could not be looked at; not where the script has made
        more records of its own than `since`: then it is judged by these."""
        if what not in self._unseen and (since is None or self.own_records <= since):
            self._unseen.add(what)
            self.event("unseen", text=what)

    def planned(self, steps: int) -> None:
        """Says how many steps the training means to make."""
        self.event("planned", steps=steps)

    def trouble(self, where: str) -> None:
        """Reports the exception being handled: our own failure must not become the script's."""
        self._troubles += 1
        if self._troubles > MOST_TROUBLES:
            return
        try:
            self.event("trouble", where=where, error=traceback.format_exc(limit=6))
        except OSError:
            self._trouble_unsaid = True  # a full disk, say; then the missing end tells it

    def add_effective(self, effective: Callable[[], dict[str, Any]]) -> None:
        """`effective` tells the values in force by source, when training begins and at the end."""
        self._effective.append(effective)

    def report_effective(self) -> None:
        """Says which values of the sources are in force now."""
        for effective in self._effective:
            found = effective()
            if found:
                self.event("effective", **found)

    # -- steps ---------------------------------------------------------------------------------

    def add_counter(self, updates_done: Callable[[], int]) -> None:
        """`updates_done` says how many updates a framework has made in this process."""
        self._counters.append(updates_done)

    def step(self) -> int:
        """The last update that was begun, over all optimizers; -1 before the first.

        Where no optimizer is seen, the script's own records count; see `OwnSteps`.
        """
        if self._counters:
            return self._updates() - 1
        return self._own_steps.begun - 1

    def _updates(self) -> int:
        updates = 0
        for counter in self._counters:  # asked for several times at every step: no generator
            updates += counter()
        return updates

    def update_done(self, step: int) -> None:
        """All rows of update `step` are written; ends the run where that is all of it."""
        self.held.write()
        self._steps_written(step + 1)
        self._end_after(step)

    def update_held(self, step: int) -> None:
        """The same where they are held, or wait to be. A worker may be ended at any moment."""
        if not self.trains or self.held.are_due():
            self.held.write()
        self._end_after(step)

    def _steps_written(self, steps: int) -> None:
        """Where there is a drain, it tells."""
        if not self._draining:
            self._stream.watermark(steps)

    def _end_after(self, step: int) -> None:
        if self._scope.ends_after(step + 1):
            self._leave(self._scope.steps or step + 1)

    def epoch_done(self) -> None:
        """An epoch of training has ended; ends the run where that is all of it."""
        if self._scope.epoch_done():
            self._leave(self.step() + 1)

    def _leave(self, steps: int) -> None:
        if self.finish(stopped_after=steps):
            ending.leave_now(getattr(self._stream, "other_ranks_ended", lambda: True))

    # -- what graphs and devices compute -------------------------------------------------------

    def add_drain(self, drain: Callable[[], int]) -> None:
        """`drain` writes the rows that have been computed, and returns the steps finished."""
        if not self._draining:
            # Handlers run last in, first out: this one runs before the framework takes itself down.
            atexit.register(self.finish)
        self._draining.add(drain)

    def drain(self) -> None:
        """Writes what has been computed so far."""
        self._draining.once()

    def _drained(self, steps: int) -> None:
        """The training's own thread comes first, in which the weights are those after a step."""
        self.held.write()
        self._stream.watermark(steps)
        if self._scope.ends_after(steps) and not self._finished:
            if self._end_is_due:
                self._leave(self._scope.steps or steps)
            self._end_is_due = True

    # -- the end -------------------------------------------------------------------------------

    def at_end(self, report: Callable[[], None]) -> None:
        """`report` is called once, just before the recording ends."""
        self._reports_at_end.append(report)

    def finish(self, **end: Any) -> bool:
        """Writes the rest; called when the interpreter ends. Whether this call was the first."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        if not self._finishing.acquire(blocking=in_main_thread):
            return False
        try:
            if self._finished:
                return False
            self._finished = True
            self.is_cut_short = "stopped_after" in end
            self._draining.stop()
            self._report_at_end()
            self._write_end(end)
            return True
        finally:
            self._finishing.release()

    def _report_at_end(self) -> None:
        for report in self._reports_at_end:
            try:
                report()
            except Exception:
                self.trouble("end")

    def _write_end(self, end: dict[str, Any]) -> None:
        try:
            self.held.write()
            self._draining.once()
            self.report_effective()
            if not self._trouble_unsaid:
                self.event("end", **end)
        except Exception:
            self.trouble("finish")

    def begin_anew(self) -> None:
        """In a forked child: a stream of its own, and no lock that its parent may have held."""
        self._stream.abandon()
        self._lock = threading.RLock()
        self._tables.begin_anew()
        self._reports_at_end = []
        self.held.begin_anew(self._lock)
        self._draining.forget()
        self._finished = False
        self._finishing = threading.RLock()

    # -- records -------------------------------------------------------------------------------

    def record(
        self, name: str, value: Any, step: int | None, phase: str, keep: bool = False
    ) -> None:
        """Digests every array, tensor or number in `value`, in its fixed order.

        Without `step` it belongs to the last update or, where no optimizer is seen, to a step of
        the script's own.
        """
        found = leaves.flatten(name, value)
        with self._lock:
            self.own_records += 1
            at = self._step_of(phase, name, step)
            self._record_leaves(name, found, at, phase, keep)

    def record_named(
        self, group: str, values: dict[str, Any], step: int | None, phase: str, keep: bool = False
    ) -> None:
        """Digests arrays under the full names that their framework gives them."""
        with self._lock:
            at = self._step_of(phase, group, None) if step is None else step
            self._record_leaves(group, leaves.flatten("", values), at, phase, keep)

    def hint(self, name: str, value: Any, step: int) -> None:
        """Digests the state of a random generator, say: told beside the verdict, not part of it."""
        with self._lock:
            found = leaves.flatten(name, value)
            columns = [Column("init", leaf.name, dtype=leaf.dtype) for leaf in found]
            self._append(HINT + name, columns, step, [leaf.digest for leaf in found])

    def metrics(
        self, group: str, values: dict[str, Any], step: int | None = None, fold: Any = None
    ) -> None:
        """Records numbers at full precision, under the names that the framework gives them.

        What is not one number, such as the score of each class, is digested.
        """
        columns, words, others = numbers.as_columns(values, fold)
        group = f"{group}@{fold}"
        with self._lock:
            at = self._step_of("metric", group, step)
            self._append(f"metric/{group}", columns, at, words)
            self._record_leaves(group, leaves.flatten("", others), at, "metric", keep=False)

    def row(self, group: str, columns: Sequence[Column], step: int, words: Sequence[int]) -> None:
        """One row of digests that the caller has computed, unsigned, one per column.

        The same `columns` object passed again costs no search. Groups named `optimizerN` have
        exactly one row per update.
        """
        with self._lock:
            self._write_rows([(group, columns, step, words)])

    def _write_rows(self, rows: Sequence[Row]) -> None:
        self._tables.write([row for row in rows if not self._is_silent(row[0])])

    def table(self, key: str, columns: Sequence[Column]) -> TableWriter:
        """The table named `key` of this stream."""
        return self._stream.table(key, columns)

    def keeps_values(self, step: int) -> bool:
        """Whether the values of the weights after this step are to be kept."""
        return self.mode != END and self._values.wants(step)

    def keep(self, name: str, phase: str, step: int, array: Any, dtype: str) -> None:
        """Keeps the bits of a NumPy array, while the budget lasts."""
        try:
            self._values.keep(name, phase, step, array, dtype)
        except OSError:
            self.trouble(f"keep {name}")

    def _step_of(self, phase: str, name: str, step: int | None) -> int:
        """An optimizer that only might come counts no steps; beside the main thread, its count is
        what it happens to be at that moment, so there a record is numbered by its own count."""
        if step is None and threading.current_thread() is not threading.main_thread():
            return self._beside.of(f"{phase}/{name}", None)
        if self._updates() or (step is None and phase == "init"):
            return self.step() if step is None else step
        return self._own_steps.of(f"{phase}/{name}", step)

    def _record_leaves(
        self, group: str, found: list[leaves.Leaf], at: int, phase: str, keep: bool
    ) -> None:
        columns = [Column(phase, leaf.name, dtype=leaf.dtype, shape=leaf.shape) for leaf in found]
        self._append(f"{phase}/{group}", columns, at, [leaf.digest for leaf in found])
        if keep:
            for leaf in found:
                if leaf.array is not None:
                    self.keep(leaf.name, phase, at, leaf.array, leaf.dtype)

    def _append(self, group: str, columns: Sequence[Column], at: int, words: Sequence[int]) -> None:
        """One row, and how far the steps have come where no framework counts them."""
        if not columns or self._is_silent(group):
            return
        try:
            self._tables.of(group, columns).append(at, words)
        except OSError:
            self.trouble(f"record {group}")
        if not self._draining and not self._updates():
            self.held.write()
            self._stream.watermark(self._own_steps.begun)
            # The steps of a run are not those of its workers, for whom their parents wait.
            if self.trains and self._scope.ends_after(self._own_steps.begun - 1):
                self._leave(self._scope.steps or 0)

    def _is_silent(self, group: str) -> bool:
        return self.mode == END and not group.startswith(FINAL)
