"""What is recorded between the updates of a training: the values of weights and the state of
optimizers at points that lie ever further apart, and the weights at the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Iterable

import tensorflow as tf

from seedproof.frameworks.keras import state as keras_state
from seedproof.frameworks.tensorflow.initial import InitialState
from seedproof.inside.scope import END

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.optimizers import Trained
    from seedproof.inside.recorder import Recorder

MOST_REMEMBERED = 8


class Points:
    """`done` says how many updates there have been."""

    def __init__(self, recorder: Recorder, done: Callable[[], int]) -> None:
        self._recorder = recorder
        self._done = done
        self.initial = InitialState()
        self._calls = 0
        self._looked_at = 0
        self._fits = 0
        self._variables_of_fit: set[int] = set()
        self._updated: dict[int, Trained] = {}
        self._remembered: dict[int, tuple[Trained, list[Any]]] = {}
        self._let_go: set[int] = set()

    def begin_fit(self, model: Any) -> None:
        """The initial weights of `model` have been recorded, its final ones will be."""
        self._fits += 1
        self._variables_of_fit = set(map(id, model.variables))

    def end_fit(self) -> None:
        """The weights after a call of `fit` have been recorded."""
        self._fits -= 1
        self._variables_of_fit = set()
        self._updated = {}

    def first(self, trained: Trained) -> bool:
        """An optimizer is about to update for the first time, which may be in a graph to come.

        False where its weights have no values yet: those that are made while a graph is traced get
        them when that is done, and the graph is then traced once more.
        """
        if self._variables_of_fit.issuperset(map(id, trained.variables)):
            return True
        with tf.init_scope():
            if not keras_state.are_set(trained.whole()):
                return False
            if self._recorder.mode != END:
                former = self.initial.values(trained.models())
                state = [variable for variable in trained.state() if id(variable) in former]
                values = keras_state.values_of([*trained.variables, *state], former)
                step = keras_state.step_to_come(self._recorder)
                self._recorder.record_named(trained.name, values, step, "init", keep=True)
            keras_state.perturb(self._recorder, trained.variables)
        return True

    def passed(self, all_trained: Iterable[Trained]) -> None:
        """Updates have been made, and none is at work; their count is asked for where it matters,
        since reading a variable costs as much as a small operation."""
        for trained in all_trained:
            self._updated[trained.number] = trained
            self._remember(trained)
        self._calls += 1
        if self._recorder.has_last_step or self._calls & (self._calls - 1) == 0:
            self._look(self._done())

    def _look(self, done: int) -> None:
        if any(map(self._recorder.keeps_values, range(self._looked_at, done))):
            self._keep(done - 1)
        self._looked_at = done
        if done:
            self._recorder.update_done(done - 1)

    def _keep(self, step: int) -> None:
        updated, self._updated = self._updated, {}
        for trained in updated.values():
            for name, value in keras_state.values_of(trained.whole()).items():
                self._recorder.keep(name, "update", step, value, str(value.dtype))
            keras_state.record_optimizer(
                self._recorder, trained.name, trained.optimizer, step, "update"
            )
        keras_state.hint_generators(self._recorder, step)

    def _remember(self, trained: Trained) -> None:
        """Outside `fit` nothing says when a training ends, so its weights are held until the end
        of the script; those of many trainings would fill the memory."""
        if self._fits or trained.number in self._let_go:
            return
        self._remembered[trained.number] = (trained, trained.models())
        if len(self._remembered) > MOST_REMEMBERED:
            self._let_go.add(min(self._remembered))
            self._record_last(*self._remembered.pop(min(self._remembered)))

    def end(self) -> None:
        """The recording ends. In another thread than the training's the weights may just change."""
        if threading.current_thread() is threading.main_thread():
            for trained, models in self._remembered.values():
                self._record_last(trained, models)

    def _record_last(self, trained: Trained, models: list[Any]) -> None:
        values = keras_state.values_of(trained.whole())
        self._recorder.record_named(
            f"final/{trained.name}", values, self._recorder.step(), "output", keep=True
        )
