"""Puts together what looks at PyTorch; see `hooks` for where it is met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

import torch

from seedproof.frameworks.torch import closely as torch_closely
from seedproof.frameworks.torch import hooks
from seedproof.frameworks.torch.by_hand import ByHand
from seedproof.frameworks.torch.inputs import Inputs
from seedproof.frameworks.torch.loaders import Loaders
from seedproof.frameworks.torch.modules import watch_parameters
from seedproof.frameworks.torch.steps import Steps
from seedproof.frameworks.torch.training import Training
from seedproof.frameworks.torch.undisturbed import CAN_BE_TRACED

if TYPE_CHECKING:
    from seedproof.frameworks.torch.rows import Rows
    from seedproof.inside.recorder import Recorder


class Observed(NamedTuple):
    """What looks at PyTorch in this process, for others that look at what is built on it.

    `updated` is to be called after each update that no optimizer of PyTorch makes.
    """

    training: Training
    inputs: Inputs
    loaders: Loaders
    updated: Callable[[], None]


observed: Observed | None = None


def observe(recorder: Recorder) -> None:
    """Has every training step of this process recorded.

    Where only the end is recorded, updates and epochs are counted and nothing else is met.
    """
    global observed
    training = Training(recorder)
    by_hand = ByHand(training)
    inputs = Inputs(training, by_hand)
    steps = Steps(training)
    hooks.watch_optimizers(steps, recorder)
    hooks.watch_scalers(steps, training)
    loaders = Loaders(training, inputs, by_hand)
    hooks.watch_loaders(loaders, inputs, recorder)
    watch_parameters(training.modules)
    if training.records_steps:
        hooks.watch_backward(inputs, by_hand, recorder)
        _watch_modules(inputs, training.rows, recorder)
    close = recorder.close
    updated = _nothing if close is None else torch_closely.watch(recorder, close)
    observed = Observed(training, inputs, loaders, updated)


def _nothing() -> None:
    """No step is looked at closely."""


def _watch_modules(inputs: Inputs, rows: Rows, recorder: Recorder) -> None:
    if CAN_BE_TRACED:
        hooks.watch_modules(inputs, rows, recorder)
    else:
        version = f"PyTorch {torch.__version__}"
        recorder.event("note", text=f"what modules are called with is not looked at in {version}")
