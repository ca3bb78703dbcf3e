"""Updates that cannot be recorded inside: those that XLA compiles, or that run on replicas.

An extra output can change the bits of what XLA compiles, so such a function is recorded at its
edge, after each call: what went in, what came out, and the variables as they are then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import tensorflow as tf

from seedproof.frameworks.tensorflow import columns as columns_of
from seedproof.frameworks.tensorflow.optimizers import Trained, alive

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.rows import Rows


class Between:
    """The rows after the calls of one function."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._trained: dict[int, Trained] = {}
        self._models: dict[int, Any] = {}
        self._before: dict[int, Any] = {}
        self._append: Any | None = None

    def __bool__(self) -> bool:
        return bool(self._trained)

    def add(self, trained: Trained, model: Any) -> None:
        """The function updates the variables of an optimizer; `model` is the one being trained."""
        if trained.number not in self._trained:
            self._trained[trained.number] = trained
            if model is not None:
                self._models[id(model)] = ref(model)
            with tf.init_scope():
                self._before[trained.number] = trained.iterations.now()
            self._append = None

    def before(self) -> None:
        """A call begins."""
        self._before = {n: trained.iterations.now() for n, trained in self._trained.items()}

    def after(self, arguments: Any, result: Any) -> None:
        """A call has ended."""
        if self._append is None:
            self._append = tf.function(self._row, autograph=False)
        made = [one.iterations.now() - self._before[n] for n, one in self._trained.items()]
        updates = tf.maximum(tf.add_n(made), 0)
        self._append(updates, _tensors(arguments), _tensors(result))

    def _row(self, updates: Any, arguments: list[Any], results: list[Any]) -> None:
        named = [
            *columns_of.of_data("argument", arguments),
            *columns_of.of_metrics(self._metrics()),
            *columns_of.of_variables(self._variables()),
            *columns_of.of_data("returned", results, "metric"),
        ]
        last = self._rows.step_to_come() + updates - 1
        row = self._rows.write("between", last, columns_of.digested(named))
        self._rows.count(row, updates)

    def _variables(self) -> list[Any]:
        found = [variable for one in self._trained.values() for variable in one.whole()]
        return found + [v for model in self._trained_models() for v in model.variables]

    def _metrics(self) -> list[Any]:
        compiled = [model for model in self._trained_models() if model.compiled]
        return [variable for model in compiled for variable in model.metrics_variables]

    def _trained_models(self) -> list[Any]:
        return alive(self._models.values())


def _tensors(structure: Any) -> list[Any]:
    return [leaf for leaf in columns_of.tensors_in(structure) if tf.is_tensor(leaf)]
