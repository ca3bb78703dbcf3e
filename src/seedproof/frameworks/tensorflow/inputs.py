"""What reaches a training step: the batch, and what enters models while a tape records.

All of it is known by tensors of the graph in which it was met, and can be used only there.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Iterator
from weakref import WeakKeyDictionary, ref

import numpy as np
import tensorflow as tf

from seedproof.frameworks.tensorflow.columns import Named, of_data, of_losses, tensors_in
from seedproof.frameworks.tensorflow.optimizers import alive
from seedproof.frameworks.tensorflow.reach import graph_here
from seedproof.inside.scope import END

if TYPE_CHECKING:
    from seedproof.frameworks.tensorflow.initial import InitialState
    from seedproof.inside.recorder import Recorder


class Entered:
    """Tensors that entered the step under one name; each is recorded once."""

    def __init__(self, name: str, values: Any, outputs: Any = ()) -> None:
        self.name = name
        self.values = [value for value in tensors_in(values) if _has_bits(value)]
        self.outputs = tensors_in(outputs)
        self._place = graph_here()

    def take(self) -> list[Any]:
        """The tensors, where they can be used and have not been taken."""
        if self._place is not graph_here():
            return []
        taken, self.values = self.values, []
        return taken


def _has_bits(value: Any) -> bool:
    """NumPy's arrays only outside of graphs: inside they are constants of the trace."""
    return bool(tf.is_tensor(value) or (isinstance(value, np.ndarray) and not tf.inside_function()))


class Inputs(threading.local):
    """Of one thread: the step of a model that runs, and what its tapes have seen enter models."""

    def __init__(self, recorder: Recorder, initial: InitialState) -> None:
        self.model: Any = None
        self.losses: list[Entered] | None = None
        self._batch: Entered | None = None
        self._called: dict[int, Any] = {}
        self._inside_model = False
        self._tapes: list[Any] = []
        self._begun_in: Any = WeakKeyDictionary()
        self._seen: Any = WeakKeyDictionary()
        self._recorder = recorder
        self._initial = initial

    # -- the training step of a model ----------------------------------------------------------

    @contextlib.contextmanager
    def step_of(self, model: Any, data: Any) -> Iterator[None]:
        """Around a training step of a model; Keras' own may be called by a script's."""
        if self.model is model:
            yield
            return
        outer = (self.model, self._batch)
        self.model, self._batch = model, self._entry("batch", data)
        self._called[id(model)] = ref(model)
        self._meet(model)
        try:
            yield
        finally:
            self.model, self._batch = outer

    @contextlib.contextmanager
    def one_update(self) -> Iterator[None]:
        """Around Keras' own training step: its one update takes the loss along."""
        self.losses = []
        try:
            yield
        finally:
            self.losses = None

    def take_batch(self) -> Named:
        """The batch, if no row has had it."""
        return [] if self._batch is None else of_data(self._batch.name, self._batch.take())

    def take_losses(self) -> Named:
        """What Keras' own step has differentiated for the update that follows."""
        losses = [loss for entry in self.losses or () for loss in entry.take()]
        return of_losses(losses)

    # -- tapes ---------------------------------------------------------------------------------

    def has_tape_here(self) -> bool:
        """Whether a tape records that began in this graph, and not outside of a loop, say."""
        return any(self._begun_in.get(tape) is graph_here() for tape in self._tapes)

    def begin(self, tape: Any) -> None:
        """A tape begins to record."""
        self._tapes.append(tape)
        self._begun_in[tape] = graph_here()

    def end(self, tape: Any) -> None:
        """A tape records no more."""
        self._tapes = [other for other in self._tapes if other is not tape]

    def call(self, call: Any, model: Any, arguments: Any, named: Any) -> Any:
        """A call of a model: noted where it is the outermost one under a tape."""
        if self._inside_model or not self._tapes:
            return call(model, *arguments, **named)
        self._inside_model = True
        self._meet(model)
        try:
            outputs = call(model, *arguments, **named)
        finally:
            self._inside_model = False
        self._entered(model, (arguments, named), outputs)
        return outputs

    def _meet(self, model: Any) -> None:
        if self._recorder.mode == END:
            return
        try:
            self._initial.meet(model)
        except Exception as error:
            text = f"the initial state of {model.name} was not looked at: {error!r}"
            self._recorder.event("note", text=text)

    def _entered(self, model: Any, values: Any, outputs: Any) -> None:
        """What another model gave, or the batch itself, is no input of its own."""
        self._called[id(model)] = ref(model)
        known = list(self._known())
        entry = self._entry(model.name, values, outputs)
        entry.values = [one for one in entry.values if not any(one is other for other in known)]
        for tape in self._tapes:
            self._seen.setdefault(tape, []).append(entry)

    def _entry(self, name: str, values: Any, outputs: Any = ()) -> Entered:
        try:
            return Entered(name, values, outputs)
        except Exception:  # a structure that TensorFlow does not know, say
            self._recorder.trouble(f"what enters {name}")
            return Entered(name, ())

    def _known(self) -> Iterator[Any]:
        yield from self._batch.values if self._batch is not None else ()
        for tape in self._tapes:
            for entry in self._seen.get(tape, ()):
                yield from entry.outputs

    def take(self, tape: Any) -> Named:
        """The batch and what entered models under `tape`, if no row has had it."""
        by_name: dict[str, list[Any]] = {}
        for entry in self._seen.pop(tape, ()):
            by_name.setdefault(entry.name, []).extend(entry.take())
        named = [pair for name, values in by_name.items() for pair in of_data(name, values)]
        return [*self.take_batch(), *named]

    def take_models(self) -> list[Any]:
        """The models called since the last update."""
        taken, self._called = self._called, {}
        return alive(taken.values())
