"""Keras 3 on PyTorch: its optimizers are none of PyTorch's, so that their hooks do not fire.

`Optimizer.apply` is met instead. The batch that a training function is called with is recorded
where no DataLoader has told of it; the loss, where PyTorch is asked for gradients. What
`torch.compile` has compiled is left alone, and the weights are recorded after each call of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import keras
import torch

from seedproof.frameworks.torch import observer as torch_observer
from seedproof.frameworks.torch.hooks import wrap
from seedproof.frameworks.torch.look import look
from seedproof.frameworks.torch.modules import Slot
from seedproof.frameworks.torch.optimizers import Layout
from seedproof.frameworks.torch.undisturbed import is_traced, undisturbed
from seedproof.frameworks.torch.updates import Updates
from seedproof.frameworks.tracebacks import without_own_frames

if TYPE_CHECKING:
    from seedproof.frameworks.torch.observer import Observed
    from seedproof.frameworks.torch.optimizers import Known
    from seedproof.inside.recorder import Recorder


def observe(recorder: Recorder) -> Steps | None:
    """Wraps the optimizers and training functions of Keras; None where PyTorch is not observed."""
    observed = torch_observer.observed
    if observed is None:
        return None
    steps = Steps(observed)
    for optimizer in (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer):
        _wrap_apply(optimizer, steps, recorder)
    _wrap_make_train_function(keras.Model, steps, recorder)
    return steps


def _wrap_apply(owner: Any, steps: Steps, recorder: Recorder) -> None:
    original = owner.apply
    begin, end = undisturbed(steps.begin_update, recorder), undisturbed(steps.end_update, recorder)

    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        if is_traced():
            return original(self, grads, trainable_variables)
        grads = list(grads)
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        begins = begin(self, grads, trainable_variables)
        try:
            result = original(self, grads, trainable_variables)
            if begins:
                end(self)
                steps.updated()
            return result
        except BaseException as error:
            without_own_frames(error)
            raise
        finally:
            if begins:
                steps.is_updating = False

    wrap(owner, "apply", apply)


def _wrap_make_train_function(owner: Any, steps: Steps, recorder: Recorder) -> None:
    """What it makes is called with a batch by `fit` and `train_on_batch` alike."""
    original = owner.make_train_function
    begin, end = undisturbed(steps.begin_call, recorder), undisturbed(steps.end_call, recorder)

    def make_train_function(self: Any, *arguments: Any, **named: Any) -> Any:
        before = self.train_function
        result = original(self, *arguments, **named)
        train = self.train_function
        if train is before or train is None:
            return result

        def train_function(data: Any) -> Any:
            begin(self, data)
            try:
                logs = train(data)
            except BaseException as error:
                without_own_frames(error)
                raise
            end(self)
            return logs

        self.train_function = train_function
        return result

    wrap(owner, "make_train_function", make_train_function)


class Steps:
    """One row per update, whatever calls the optimizer.

    `is_updating` is true within an update: one optimizer may hand it on to another.
    """

    def __init__(self, observed: Observed) -> None:
        self._training = observed.training
        self._training.is_told_of = True  # by `fit`: building a model is no training
        self._inputs = observed.inputs
        self._loaders = observed.loaders
        self._updates = Updates(observed.training)
        self.updated = observed.updated
        self._model: Any = None
        self._begun: Any = None
        self.is_updating = False

    # -- what is told of `fit` -----------------------------------------------------------------

    def begin(self, model: Any) -> None:
        """A call of `fit` begins; its epochs are told, too."""
        self._loaders.ends_epochs = False

    def batch_end(self) -> None:
        """A batch has been trained on: its update was met where it was made."""

    def end(self) -> None:
        """The call of `fit` has ended."""
        self._loaders.ends_epochs = True

    # -- calls of what trains on one batch -----------------------------------------------------

    def begin_call(self, model: Any, data: Any) -> None:
        """A model is about to be trained on a batch, which a DataLoader may have told of."""
        self._model = model
        self._training.begins()
        if self._training.records_steps:
            self._inputs.given("batch", data)

    def end_call(self, model: Any) -> None:
        """A model has been trained on a batch."""
        self._model = None
        if model.jit_compile:
            self._record_between(_named(model.variables))

    def _record_between(self, named: Sequence[tuple[str, Any]]) -> None:
        rows, step = self._training.rows, self._training.step_to_come()
        if self._training.records_steps:
            columns = rows.columns("between", "update", named)
            rows.write_pending(step)
            rows.write("between", columns, step, look([tensor for _, tensor in named]))
        self._training.count_update()
        rows.update_done(step)

    # -- updates -------------------------------------------------------------------------------

    def begin_update(self, optimizer: Any, gradients: Any, variables: Any) -> bool:
        """An optimizer is about to be given gradients; whether this is an update to record."""
        if self.is_updating or (self._model is not None and self._model.jit_compile):
            return False
        named = _named(optimizer._trainable_variables if variables is None else variables)
        self._begun = self._updates.begin(
            optimizer, lambda _, known: self._layout(known, named), lambda _: gradients
        )
        self.is_updating = True
        return True

    def _layout(self, known: Known, named: Sequence[tuple[str, Any]]) -> Layout:
        key = [id(tensor) for _, tensor in named], id(self._model)
        if known.layout is not None and known.layout.key == key:
            return known.layout
        names = [name for name, _ in named]
        others = [] if self._model is None else self._model.non_trainable_variables
        return Layout(
            key, [tensor for _, tensor in named], names, names, [_slot(one) for one in others]
        )

    def end_update(self, optimizer: Any) -> None:
        """The optimizer has made its update."""
        self._updates.end(self._begun, lambda: dict(_named(optimizer.variables)))


def _slot(variable: Any) -> Slot:
    """Where the value of a variable is that is not trained."""
    return Slot(variable.path, vars(variable), "_value")


def _named(variables: Any) -> list[tuple[str, Any]]:
    """The tensors of variables that have one, by path, as they are and not as they are cast."""
    found = [(variable.path, variable._value) for variable in variables]
    return [(path, tensor) for path, tensor in found if isinstance(tensor, torch.Tensor)]
