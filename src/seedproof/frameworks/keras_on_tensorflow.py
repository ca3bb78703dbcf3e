"""Keras 3 on TensorFlow: every update, recorded inside the training graph.

`Optimizer.apply` is the one place that `fit`, a custom `train_step` and a hand-written loop all
pass; the row that it writes holds the batch and the state of the model too, where the standard
`train_step` is at work. A step that XLA compiles is left alone, because an extra output can change
its bits: there the weights are recorded between the steps.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Sequence, Tuple
from weakref import WeakKeyDictionary

import keras
import tensorflow as tf

from seedproof.frameworks.tensorflow_graph import GraphTable, StepCounter, digests
from seedproof.trace.format import Column, layout

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

Named = List[Tuple[Column, Any]]
Digested = Tuple[List[Column], Any]


def observe(recorder: Recorder) -> Steps:
    """Wraps the optimizers and the standard training step of Keras."""
    steps = Steps(recorder)
    for optimizer in (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer):
        _wrap_apply(optimizer, steps)
    _wrap_train_step(keras.Model, steps)
    return steps


def _wrap_apply(owner: Any, steps: Steps) -> None:
    apply = owner.apply

    @functools.wraps(apply)
    @tf.autograph.experimental.do_not_convert
    def wrapper(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        grads = list(grads)
        with steps.update(self, grads, trainable_variables):
            return apply(self, grads, trainable_variables)

    owner.apply = wrapper


def _wrap_train_step(owner: Any, steps: Steps) -> None:
    train_step = owner.train_step

    @functools.wraps(train_step)
    @tf.autograph.experimental.do_not_convert
    def wrapper(self: Any, data: Any) -> Any:
        with steps.model_step(self, data):
            return train_step(self, data)

    owner.train_step = wrapper


class Steps:
    """Makes one row per update, whatever calls the optimizer."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._counter = StepCounter()
        self._tables: dict[Any, GraphTable] = {}
        self._optimizers: Any = WeakKeyDictionary()
        self._numbers = itertools.count()
        self._model_and_data: tuple[Any, Any] = (None, None)
        self._inside_update = False
        self._append_between: Any | None = None
        recorder.add_counter(self._counter.done)
        recorder.add_drain(self._drain)

    def begin(self, model: Any) -> None:
        """A call of `fit` begins; its steps are recorded from inside unless XLA compiles them."""
        self._append_between = self._between_steps(model) if model.jit_compile else None

    def end(self) -> None:
        """The call of `fit` has ended; what trains now is seen from inside again."""
        self._append_between = None

    def batch_end(self) -> None:
        """A batch, or several in one execution, have been trained on."""
        if self._append_between is not None:
            self._append_between()

    @contextlib.contextmanager
    def model_step(self, model: Any, data: Any) -> Iterator[None]:
        """The standard training step of a model, around its update."""
        self._model_and_data = (model, data)
        try:
            yield
        finally:
            self._model_and_data = (None, None)

    @contextlib.contextmanager
    def update(self, optimizer: Any, grads: Any, variables: Any) -> Iterator[None]:
        """One update: what goes in is digested before it, what comes out after it."""
        if self._inside_update or self._append_between is not None or self._is_out_of_reach():
            yield
            return
        variables = optimizer._trainable_variables if variables is None else list(variables)
        self._inside_update = True
        try:
            before = self._guarded(self._before, grads, variables)
            yield
            if before is not None:
                self._guarded(self._after, optimizer, variables, before)
        finally:
            self._inside_update = False

    def _is_out_of_reach(self) -> bool:
        """Whether an update cannot be recorded from inside, which is then said."""
        if _is_compiled_by_xla():
            self._recorder.unseen("updates that XLA compiles outside of fit")
        elif tf.distribute.get_strategy().num_replicas_in_sync > 1:
            self._recorder.unseen("updates that a distribution strategy spreads over replicas")
        else:
            return False
        return True

    def _guarded(self, part: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return part(*arguments)
        except Exception:
            self._recorder.trouble("update")
            return None

    def _before(self, grads: Any, variables: Any) -> tuple[Any, Digested]:
        """The step, and the digests of what goes into the update."""
        named = [*_named_data(self._model_and_data[1]), *_named_gradients(grads, variables)]
        return self._counter.variable().read_value(), _digested(named)

    def _after(self, optimizer: Any, variables: Any, before: tuple[Any, Digested]) -> None:
        step, (columns_before, digests_before) = before
        model = self._model_and_data[0]
        state = [] if model is None else model.non_trainable_variables
        columns, digests_after = _digested(_named_variables([*variables, *state]))
        if optimizer not in self._optimizers:
            self._optimizers[optimizer] = next(self._numbers)
        owner = f"optimizer{self._optimizers[optimizer]}"
        table = self._table(owner, [*columns_before, *columns])
        row = table.append(step, [digests_before, digests_after])
        with tf.control_dependencies([row] if tf.inside_function() else []):
            self._counter.variable().assign_add(1)

    def _between_steps(self, model: Any) -> Callable[[], Any]:
        named = _named_variables(model.variables)
        table = self._table("between", [column for column, _ in named])

        @tf.function(autograph=False)
        def append() -> None:
            done = self._counter.variable().assign_add(model.steps_per_execution)
            _, words = _digested(_named_variables(model.variables))
            table.append(done - 1, [words])

        return append  # type: ignore[no-any-return]

    def _table(self, owner: str, columns: Sequence[Column]) -> GraphTable:
        """One table per optimizer and set of columns; a retraced graph finds its own again."""
        known = (owner, layout(columns))
        if known not in self._tables:
            key = f"{owner}#{sum(other[0] == owner for other in self._tables)}"
            self._tables[known] = GraphTable(self._recorder, key, columns)
        return self._tables[known]

    def _drain(self) -> int:
        done = self._counter.done()
        for table in list(self._tables.values()):
            table.drain()
        return done


def _is_compiled_by_xla() -> bool:
    """Whether the graph being traced is for XLA, which knows no queue."""
    from tensorflow.python.ops import control_flow_util

    graph = tf.compat.v1.get_default_graph()
    return tf.inside_function() and bool(control_flow_util.GraphOrParentsInXlaContext(graph))


def _digested(named: Named) -> Digested:
    """The columns, and the vector of their digests."""
    return [column for column, _ in named], digests([tensor for _, tensor in named])


def _named_data(data: Any) -> Named:
    tensors = tf.nest.flatten(data, expand_composites=True)
    present = [tensor for tensor in tensors if tensor is not None]
    return [_named("data", f"batch/{at}", tensor) for at, tensor in enumerate(present)]


def _named_gradients(grads: Any, variables: Any) -> Named:
    named = []
    for gradient, variable in zip(grads, variables):
        parts = tf.nest.flatten(gradient, expand_composites=True)
        for at, part in enumerate(part for part in parts if part is not None):
            name = variable.path if at == 0 else f"{variable.path}/{at}"
            named.append(_named("backward", name, part))
    return named


def _named_variables(variables: Any) -> Named:
    return [_named("update", v.path, tf.convert_to_tensor(v)) for v in variables]


def _named(phase: str, name: str, value: Any) -> tuple[Column, Any]:
    tensor = tf.convert_to_tensor(value)
    if tensor.dtype == tf.string:
        tensor = tf.strings.to_hash_bucket_fast(tensor, tf.int64.max)
    shape = None if tensor.shape.rank is None else tuple(tensor.shape)
    return Column(phase, name, dtype=tensor.dtype.name, shape=shape), tensor
