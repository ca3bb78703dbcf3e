"""The updates of Keras' optimizers on TensorFlow, each recorded where it is computed."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence, Tuple

import tensorflow as tf

from seedproof.frameworks.tensorflow import columns as columns_of
from seedproof.frameworks.tensorflow.between import Between
from seedproof.frameworks.tensorflow.calls import Calls, Watcher
from seedproof.frameworks.tensorflow.closely import Closely
from seedproof.frameworks.tensorflow.inputs import Entered, Inputs
from seedproof.frameworks.tensorflow.optimizers import Optimizers, Trained
from seedproof.frameworks.tensorflow.points import Points
from seedproof.frameworks.tensorflow.reach import is_out_of_reach
from seedproof.frameworks.tensorflow.rows import Rows
from seedproof.inside.scope import END

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

Before = Tuple[Any, columns_of.Digested]  # the step, and what goes into its update


class Steps:
    """Makes one row per update, whatever calls the optimizer."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._is_silent = recorder.mode == END
        self._rows = Rows(recorder)
        self._optimizers = Optimizers()
        self._thread = threading.local()
        self._updating: set[int] = set()
        self._threads: set[int] = set()
        self._differentiates = False
        self.points = Points(recorder, self._done)
        self.inputs = Inputs(recorder, self.points.initial)
        close = recorder.close
        self.closely = None if close is None else Closely(recorder, self.inputs, close)
        self.calls = Calls(recorder)
        recorder.add_counter(self._done)
        recorder.at_end(self._end)

    def _done(self) -> int:
        return self._optimizers.updates() if self._is_silent else self._rows.done()

    def _end(self) -> None:
        if self._differentiates and not self._optimizers:
            self._recorder.unseen("updates that no optimizer of Keras makes", since=0)
        self.points.end()

    # -- what `fit` says of itself -------------------------------------------------------------

    def begin(self, model: Any) -> None:
        """A call of `fit` begins; the initial weights of `model` have been recorded."""
        self.points.begin_fit(model)

    def batch_end(self) -> None:
        """A batch has been trained on: its updates have been met where they were made."""

    def end(self) -> None:
        """The call of `fit` has ended."""
        self.points.end_fit()

    # -- gradients -----------------------------------------------------------------------------

    def tape_begins(self, tape: Any) -> None:
        """A tape begins to record."""
        self.inputs.begin(tape)
        if self.closely is not None:
            self.closely.each.begin()

    def differentiated(self, tape: Any, target: Any, sources: Any) -> None:
        """Gradients of variables have been taken: what they come from is a row of its own, but
        for Keras' own step, whose update takes it along."""
        with contextlib.nullcontext() if self.closely is None else self.closely.each.quiet():
            self._differentiated(tape, target, sources)

    def _differentiated(self, tape: Any, target: Any, sources: Any) -> None:
        if self._is_silent or not any(map(_is_variable, tf.nest.flatten(sources))):
            return
        self._differentiates = True
        if self.inputs.losses is not None:
            self.inputs.losses.append(Entered("loss", target))
        elif not is_out_of_reach() and not _is_vectorized():
            named = [*self.inputs.take(tape), *columns_of.of_losses(target)]
            self._rows.write("tape", self._rows.step_to_come(), columns_of.digested(named))

    # -- updates -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def update(self, optimizer: Any, gradients: Any, variables: Any) -> Iterator[None]:
        """One update: what goes in is digested before it, what comes out after it."""
        if self._is_inner(optimizer):
            yield
            return
        if self.closely is not None:
            self.closely.each.end()
        variables = optimizer._trainable_variables if variables is None else list(variables)
        trained = self._guarded(self._meet, optimizer, variables)
        before = trained and self._guarded(self._before, trained, gradients, variables)
        with self._outer(optimizer):
            yield
        if before:
            self._guarded(self._after, trained, variables, before)
        if trained:
            self._guarded(self._passed, trained)

    def _is_inner(self, optimizer: Any) -> bool:
        """Whether an optimizer works for another one, which may have left it to another thread."""
        return getattr(self._thread, "updating", False) or id(optimizer) in self._updating

    @contextlib.contextmanager
    def _outer(self, optimizer: Any) -> Iterator[None]:
        inner = id(getattr(optimizer, "inner_optimizer", None))
        self._thread.updating = True
        self._updating.add(inner)
        try:
            yield
        finally:
            self._thread.updating = False
            self._updating.discard(inner)

    def _guarded(self, part: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return part(*arguments)
        except Exception:
            self._recorder.trouble("update")
            return None

    def _meet(self, optimizer: Any, variables: Sequence[Any]) -> Trained:
        self._note_thread()
        trained = self._optimizers.meet(optimizer)
        trained.trains(variables, self.inputs.take_models())
        trained.has_begun = trained.has_begun or self.points.first(trained)
        return trained

    def _note_thread(self) -> None:
        """Updates of several threads are numbered as they happen to follow each other; the
        threads of a strategy's replicas wait for each other."""
        thread = threading.get_ident()
        if thread in self._threads or tf.distribute.has_strategy():
            return
        self._threads.add(thread)
        if len(self._threads) == 2:
            self._recorder.event("ambiguous", why="several threads train at once")

    def _before(self, trained: Trained, gradients: Any, variables: Any) -> Before | None:
        """What goes into the update, digested; None where that is out of reach."""
        function = self.calls.watched(lambda: TrainingCalls(self._rows, self.points))
        if function is not None:
            function.trained[trained.number] = trained
        if self._is_silent:
            return None
        if is_out_of_reach():
            self._record_beside(function, trained)
            return None
        named = [
            *self.inputs.take_batch(),
            *self.inputs.take_losses(),
            *columns_of.of_gradients(gradients, variables),
        ]
        step = self._rows.step_to_come()
        if self.closely is not None:
            self.closely.row(self._rows, step)
        return step, columns_of.digested(named)

    def _record_beside(self, function: TrainingCalls | None, trained: Trained) -> None:
        if function is None:
            self._recorder.unseen("updates that run on replicas or by XLA outside of a tf.function")
        else:
            function.between.add(trained, self.inputs.model)

    def _after(self, trained: Trained, variables: Sequence[Any], before: Before) -> None:
        step, digested = before
        updated = columns_of.of_variables([*variables, *trained.state()])
        row = self._rows.write(trained.name, step, digested, columns_of.digested(updated))
        self._rows.count(row)

    def _passed(self, trained: Trained) -> None:
        """Within a function its graph has been traced, no more."""
        if not tf.inside_function() and not self.calls.is_inside():
            self.points.passed([trained])


class TrainingCalls(Watcher):
    """A function that trains: after its calls the updates that it makes have been made."""

    def __init__(self, rows: Rows, points: Points) -> None:
        self.trained: dict[int, Trained] = {}
        self.between = Between(rows)
        self._points = points

    def before(self) -> None:
        """A call begins."""
        self.between.before()

    def after(self, arguments: Any, result: Any) -> None:
        """A call has ended."""
        if self.between:
            self.between.after(arguments, result)
        self._points.passed(self.trained.values())


def _is_variable(source: Any) -> bool:
    return hasattr(source, "trainable")


def _is_vectorized() -> bool:
    """Whether `tf.vectorized_map` is at work, which knows operations without effects only."""
    return "loop_body" in (tf.get_current_name_scope() or "")
