"""Where PyTorch is met: the hooks that it offers, and wrappers where it offers none.

A wrapper calls what it wraps in the same way in any case, leaves no frame in the tracebacks of
what fails in it, and is not seen by `torch.compile`: Dynamo takes these wrappers for the originals
if they are there before it is imported, traces through them otherwise, and never compiles them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.data import dataloader

from seedproof.frameworks.torch.undisturbed import (
    gradients_are_recorded,
    is_traced,
    never_compiled,
    set_compiler,
    undisturbed,
)
from seedproof.frameworks.tracebacks import without_own_frames

if TYPE_CHECKING:
    from seedproof.frameworks.torch.by_hand import ByHand
    from seedproof.frameworks.torch.inputs import Inputs
    from seedproof.frameworks.torch.loaders import Loaders
    from seedproof.frameworks.torch.rows import Rows
    from seedproof.frameworks.torch.steps import Steps
    from seedproof.frameworks.torch.training import Training
    from seedproof.inside.recorder import Recorder


def watch_optimizers(steps: Steps, recorder: Recorder) -> None:
    """The hooks that PyTorch has for all optimizers."""
    register_optimizer_step_pre_hook(undisturbed(steps.begin, recorder, steps.out_of_reach))
    register_optimizer_step_post_hook(undisturbed(steps.end, recorder))


def watch_scalers(steps: Steps, training: Training) -> None:
    """A `GradScaler` may leave an update out, and then no hook is called."""
    owner = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler
    original = owner.step
    skipped = undisturbed(steps.skipped, training.recorder)

    def step(self: Any, optimizer: Any, *arguments: Any, **named: Any) -> Any:
        before = training.updates
        try:
            result = original(self, optimizer, *arguments, **named)
        except BaseException as error:
            without_own_frames(error)
            raise
        if training.updates == before and self.is_enabled():
            skipped(optimizer)
        return result

    wrap(owner, "step", step)


def watch_modules(inputs: Inputs, rows: Rows, recorder: Recorder) -> None:
    """The outermost call of a module, in training mode and with gradients recorded."""
    original = torch.nn.Module.__call__
    begin, leave = (undisturbed(look, recorder) for look in (inputs.call, rows.training_is_left))

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        if is_traced():
            return original(self, *arguments, **named)
        begins = False
        if not inputs.is_looked_at and not inputs.computes_gradients:
            if getattr(self, "training", False) and gradients_are_recorded():
                compiler = set_compiler(None)
                set_compiler(compiler)
                begins = compiler is None and begin(self, arguments, named)
            elif recorder.held:
                leave()
        try:
            return original(self, *arguments, **named)
        except BaseException as error:
            without_own_frames(error)
            raise
        finally:
            if begins:
                inputs.is_looked_at = False

    wrap(torch.nn.Module, "__call__", call)


def watch_backward(inputs: Inputs, by_hand: ByHand, recorder: Recorder) -> None:
    """The outermost computation of gradients."""
    original = torch.autograd.backward
    begin = undisturbed(inputs.loss, recorder)
    after = undisturbed(by_hand.after_gradients, recorder)

    def backward(*arguments: Any, **named: Any) -> Any:
        begins = not is_traced() and not inputs.computes_gradients and begin(arguments, named)
        try:
            result = original(*arguments, **named)
            if begins and not by_hand.is_over:
                after()
        except BaseException as error:
            without_own_frames(error)
            raise
        finally:
            if begins:
                inputs.computes_gradients = False
        return result

    wrap(torch.autograd, "backward", backward)


def watch_loaders(loaders: Loaders, inputs: Inputs, recorder: Recorder) -> None:
    """What comes out of a DataLoader, in the process that asks for it."""
    owner = dataloader._BaseDataLoaderIter
    original = owner.__next__
    yielded, exhausted = (
        undisturbed(look, recorder) for look in (loaders.yielded, loaders.exhausted)
    )

    def get(self: Any) -> Any:
        compiler = set_compiler(None)
        begins = not is_traced() and loaders.begin()
        set_compiler(compiler)
        try:
            batch = original(self)
        except BaseException as error:
            if begins:
                inputs.is_looked_at = False
                if isinstance(error, StopIteration):
                    exhausted(self)
            without_own_frames(error)
            raise
        if begins:
            inputs.is_looked_at = False
            yielded(self, batch, gradients_are_recorded())
        return batch

    wrap(owner, "__next__", get)


def wrap(owner: Any, name: str, wrapper: Any) -> None:
    """Puts a wrapper, which `torch.compile` leaves alone, in the place of what it wraps."""
    never_compiled(wrapper)
    setattr(owner, name, functools.wraps(getattr(owner, name))(wrapper))
