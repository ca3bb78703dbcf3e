"""The rows that graphs compute: their step, their tables, and how far they have come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from seedproof.frameworks.tensorflow_graph import GraphTable, StepCounter
from seedproof.trace.format import layout

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow_columns import Digested
    from seedproof.inside.recorder import Recorder


class Rows:
    """One row per event of a training, whatever graph computes it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._counter = StepCounter()
        self._tables: dict[Any, GraphTable] = {}
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
        known = (owner, layout(columns))
        if known not in self._tables:
            self._tables[known] = self._new_table(owner, columns)
        return self._tables[known].append(step, [words for _, words in parts])

    def count(self, row: Any, updates: Any = 1) -> Any:
        """Counts updates once their row has been written; the number that there are then."""
        with tf.control_dependencies([row] if row is not None and tf.inside_function() else []):
            return self._counter.variable().assign_add(tf.cast(updates, tf.int64))

    def _new_table(self, owner: str, columns: Any) -> GraphTable:
        if not self._tables:
            self._recorder.add_drain(self._drain)
        key = f"{owner}#{sum(other[0] == owner for other in self._tables)}"
        return GraphTable(self._recorder, key, columns)

    def _drain(self) -> int:
        done = self._counter.done()
        for table in list(self._tables.values()):
            table.drain()
        return done
