"""Collects the records of this process and hands them to the trace writer.

There is at most one recorder in a process: `current()`. Host-side records are written at once;
what a framework computes inside its own graph is drained by a thread, at least every 100 ms, so
that the parent can compare while the training runs.
"""

from __future__ import annotations

import atexit
import os
import struct
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable, Sequence

from seedproof.inside import leaves
from seedproof.inside.own_steps import OwnSteps
from seedproof.trace.format import VALUE, Column

if TYPE_CHECKING:
    from seedproof.trace.writer import StreamWriter, TableWriter

DRAIN_SECONDS = 0.1
VALUE_BUDGET_BYTES = 64 << 20
MOST_TROUBLES = 20

_current: Recorder | None = None


def current() -> Recorder | None:
    """The recorder of this process, or None outside a recorded run."""
    return _current


def begin(writer: StreamWriter) -> Recorder:
    """Makes `writer` the trace of this process, until the interpreter ends."""
    global _current
    _current = Recorder(writer)
    atexit.register(_current.finish)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)
    return _current


def _forget() -> None:
    """A forked child has no recorder; the hooks that still hold its parent's reach nothing."""
    global _current
    if _current is not None:
        _current.abandon()
    _current = None


class Recorder:
    """The records of one process, in the order of the trace."""

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer
        self._tables: dict[Any, TableWriter] = {}
        self._host_lock = threading.RLock()
        self._counters: list[Callable[[], int]] = []
        self._drains: list[Callable[[], int]] = []
        self._drain_lock = threading.Lock()
        self._drain_failed = False
        self._finish_asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._value_bytes_left = VALUE_BUDGET_BYTES
        self._own_steps = OwnSteps()
        self._beside = OwnSteps()
        self._unseen: set[str] = set()
        self._troubles = 0
        self._trouble_unsaid = False
        self._effective: list[Callable[[], dict[str, Any]]] = []

    # -- what others read and report -----------------------------------------------------------

    def event(self, kind: str, **fields: Any) -> None:
        """Something that happened, for the reader; it is not compared."""
        clocks = {"at": time.time(), "clock": time.perf_counter(), "cpu": time.process_time()}
        self._writer.event(kind, **clocks, **fields)

    def unseen(self, what: str) -> None:
        """Says, once, what of the training could not be looked at."""
        if what not in self._unseen:
            self._unseen.add(what)
            self.event("unseen", text=what)

    def trouble(self, where: str) -> None:
        """Reports the exception being handled: our own failure must not become the script's."""
        self._troubles += 1
        if self._troubles > MOST_TROUBLES:
            return
        try:
            self.event("trouble", where=where, error=traceback.format_exc(limit=6))
        except OSError:
            self._trouble_unsaid = True  # a full disk, say; then the missing end tells it

    def step(self) -> int:
        """The last update that was begun, over all optimizers; -1 before the first.

        Where no optimizer is seen, the script's own records count; see `OwnSteps`.
        """
        if self._counters:
            return sum(counter() for counter in self._counters) - 1
        return self._own_steps.begun - 1

    # -- what frameworks use -------------------------------------------------------------------

    def add_counter(self, updates_done: Callable[[], int]) -> None:
        """`updates_done` says how many updates a framework has made in this process."""
        self._counters.append(updates_done)

    def table(self, key: str, columns: Sequence[Column]) -> TableWriter:
        """The table named `key` of this stream."""
        return self._writer.table(key, columns)

    def add_drain(self, drain: Callable[[], int]) -> None:
        """`drain` writes the rows that a graph has computed, and returns the steps finished."""
        self._drains.append(drain)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._drain_until_finished, name="seedproof", daemon=True
            )
            self._thread.start()
            # Handlers run last in, first out: this one runs before the framework takes itself down.
            atexit.register(self.finish)

    def add_effective(self, effective: Callable[[], dict[str, Any]]) -> None:
        """`effective` tells the values in force by source, when training begins and at the end."""
        self._effective.append(effective)

    def report_effective(self) -> None:
        """Says which values of the sources are in force now."""
        for effective in self._effective:
            found = effective()
            if found:
                self.event("effective", **found)

    def drain(self) -> None:
        """Writes what has been computed so far."""
        with self._drain_lock:
            finished = [drain() for drain in self._drains]
            if finished:
                self._writer.watermark(min(finished))

    def _drain_until_finished(self) -> None:
        """Goes on after a failure, told once: a queue that fills up would block the training."""
        while not self._finish_asked.wait(DRAIN_SECONDS):
            try:
                self.drain()
            except Exception:
                if not self._drain_failed:
                    self._drain_failed = True
                    self.trouble("drain")

    def finish(self) -> None:
        """Writes the rest; called once, when the interpreter ends."""
        if self._finish_asked.is_set():
            return
        self._finish_asked.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.drain()
            self.report_effective()
            if not self._trouble_unsaid:
                self.event("end")
        except Exception:
            self.trouble("finish")

    def abandon(self) -> None:
        """In a forked child: the trace is the parent's, and its locks may be held for ever."""
        self._writer.abandon()
        self._host_lock = threading.RLock()
        self._drain_lock = threading.Lock()
        self._finish_asked = threading.Event()
        self._finish_asked.set()

    # -- host-side records ---------------------------------------------------------------------

    def record(
        self, name: str, value: Any, step: int | None, phase: str, keep: bool = False
    ) -> None:
        """Digests every array, tensor or number in `value`, in its fixed order.

        Without `step` it belongs to the last update or, where no optimizer is seen, to a step of
        the script's own.
        """
        found = leaves.flatten(name, value)
        with self._host_lock:
            at = self._step_of(phase, name, step)
            self._record_leaves(name, found, at, phase, keep)

    def record_named(
        self, group: str, values: dict[str, Any], step: int | None, phase: str, keep: bool = False
    ) -> None:
        """Digests arrays under the full names that their framework gives them."""
        with self._host_lock:
            at = self._step_of(phase, group, None) if step is None else step
            self._record_leaves(group, leaves.flatten("", values), at, phase, keep)

    def metrics(
        self, group: str, values: dict[str, Any], step: int | None = None, fold: Any = None
    ) -> None:
        """Records numbers at full precision, under the names that the framework gives them.

        What is not one number, such as the score of each class, is digested.
        """
        numbers, others = _numbers_and_others(values)
        group = f"{group}@{fold}"
        columns = [Column("metric", name, kind=VALUE, fold=fold) for name in numbers]
        words = [struct.unpack("<Q", struct.pack("<d", one))[0] for one in numbers.values()]
        with self._host_lock:
            at = self._step_of("metric", group, step)
            self._append("metric", group, columns, at, words)
            self._record_leaves(group, leaves.flatten("", others), at, "metric", keep=False)

    def _step_of(self, phase: str, name: str, step: int | None) -> int:
        """An optimizer that only might come counts no steps; beside the main thread, its count is
        what it happens to be at that moment, so there a record is numbered by its own count."""
        if step is None and threading.current_thread() is not threading.main_thread():
            return self._beside.of(f"{phase}/{name}", None)
        if any(counter() for counter in self._counters) or (step is None and phase == "init"):
            return self.step() if step is None else step
        return self._own_steps.of(f"{phase}/{name}", step)

    def _record_leaves(
        self, group: str, found: list[leaves.Leaf], at: int, phase: str, keep: bool
    ) -> None:
        columns = [Column(phase, leaf.name, dtype=leaf.dtype, shape=leaf.shape) for leaf in found]
        self._append(phase, group, columns, at, [leaf.digest for leaf in found])
        if keep:
            for leaf in found:
                self._keep(leaf, phase, at)

    def _append(
        self, phase: str, group: str, columns: Sequence[Column], at: int, words: Sequence[int]
    ) -> None:
        """One row, and how far the steps have come where no framework counts them."""
        if not columns:
            return
        try:
            self._host_table(phase, group, columns).append(at, words)
            if not self._drains:
                self._writer.watermark(self._own_steps.begun)
        except OSError:
            self.trouble(f"record {group}")

    def _host_table(self, phase: str, name: str, columns: Sequence[Column]) -> TableWriter:
        """One table per record and per layout that its value had, numbered as they appeared."""
        names = tuple(column.name for column in columns)
        if (phase, name, names) not in self._tables:
            layouts = sum(known[:2] == (phase, name) for known in self._tables)
            key = f"{phase}/{name}#{layouts}"
            self._tables[(phase, name, names)] = self.table(key, columns)
        return self._tables[(phase, name, names)]

    def _keep(self, leaf: leaves.Leaf, phase: str, step: int) -> None:
        if leaf.array is None or leaf.array.nbytes > self._value_bytes_left:
            return
        self._value_bytes_left -= leaf.array.nbytes
        raw = leaf.array.tobytes()
        try:
            self._writer.keep(leaf.name, phase, step, leaf.dtype, leaf.array.shape, raw)
        except OSError:
            self.trouble(f"keep {leaf.name}")


def _numbers_and_others(values: dict[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
    numbers, others = {}, {}
    for name, value in sorted(values.items()):
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError):
            others[name] = value
    return numbers, others
