"""The rows that graphs compute: their step, their tables, and how far they have come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import tensorflow as tf

from seedproof.frameworks.tensorflow.graph import GraphTable, StepCounter
from seedproof.trace.format import layout

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.columns import Digested
    from seedproof.inside.recorder import Recorder


class Rows:
    """One row per event of a training, whatever graph computes it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._counter = StepCounter()
        self._tables: dict[Any, Any] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._tables.clear)

    def done(self) -> int:
        """The number of updates whose rows have been computed."""
        return self._counter.done()

    def step_to_come(self) -> Any:
        """The step of the next update, as a tensor."""
        return self._counter.variable().read_value()

    def write(self, owner: str, step: Any, *parts: Digested) -> Any:
        """One row of the table of `owner` that has these columns; the operation that writes it."""
        columns = [column for columns, _ in parts for column in columns]
        table = self._known((owner, layout(columns)), lambda: self._new_table(owner, columns))
        return table.append(step, [words for _, words in parts])

    def add(self, table: Any) -> None:
        """Has a table of another kind drained with the others."""
        self._known(table, lambda: table)

    def count(self, row: Any, updates: Any = 1) -> Any:
        """Counts updates once their row has been written; the number that there are then."""
        with tf.control_dependencies([row] if row is not None and tf.inside_function() else []):
            return self._counter.variable().assign_add(tf.cast(updates, tf.int64))

    def _known(self, key: Any, make: Callable[[], Any]) -> Any:
        if not self._tables:
            self._recorder.add_drain(self._drain)
        if key not in self._tables:
            self._tables[key] = make()
        return self._tables[key]

    def _new_table(self, owner: str, columns: Any) -> GraphTable:
        owners = [known[0] for known in self._tables if isinstance(known, tuple)]
        key = f"{owner}#{owners.count(owner)}"
        return GraphTable(self._recorder, key, columns)

    def _drain(self) -> int:
        done = self._counter.done()
        for table in list(self._tables.values()):
            table.drain()
        return done
