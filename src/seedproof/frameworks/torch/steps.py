"""The updates of `torch.optim` optimizers, from the hooks that PyTorch calls around each one."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import torch

from seedproof.frameworks.torch.optimizers import Layout
from seedproof.frameworks.torch.updates import Updates

if TYPE_CHECKING:
    from seedproof.frameworks.torch.training import Training
    from seedproof.frameworks.torch.updates import Begun


class Steps:
    """Calls of `step`, each in its thread: a call that another one makes is part of it."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._updates = Updates(training)
        self._begun: dict[int, tuple[int, Begun]] = {}
        self._nested: set[int] = set()

    def begin(self, optimizer: Any, arguments: Any, named: Any) -> None:
        """An optimizer begins an update.

        Where a closure computes the gradients, they are there afterwards only.
        """
        thread = threading.get_ident()
        if thread in self._begun and _is_inside_a_step():
            self._nested.add(thread)
            return
        self._training.has_optimizer = True
        more = len(arguments) > 1 or named
        closure = more and any(one is not None for one in (*arguments[1:], *named.values()))
        self._begun[thread] = id(optimizer), self._begin(optimizer, with_gradients=not closure)

    def end(self, optimizer: Any, arguments: Any, named: Any) -> None:
        """An optimizer has made an update."""
        thread = threading.get_ident()
        key, begun = self._begun.get(thread, (None, None))
        if begun is None or key != id(optimizer):
            return
        if thread not in self._nested or not _is_inside_a_step():
            del self._begun[thread]
            self._nested.discard(thread)
            self._updates.end(begun, lambda: optimizer.state)

    def skipped(self, optimizer: Any) -> None:
        """A `GradScaler` has found gradients that are not finite, and left the weights alone."""
        begun = self._begin(optimizer, with_gradients=True)
        self._updates.end(begun, lambda: optimizer.state)

    def _begin(self, optimizer: Any, with_gradients: bool) -> Begun:
        lay_out = self._training.optimizers.layout
        gradients = Layout.gradients if with_gradients else None
        scales = getattr(optimizer, "grad_scale", None) is not None  # writes into them when it does
        return self._updates.begin(optimizer, lay_out, gradients, may_wait=not scales)

    def out_of_reach(self) -> None:
        """An update is compiled, or captured, and will be made without any hook."""
        self._training.has_hidden_updates = True


_HOOKED_STEP = torch.optim.Optimizer.profile_hook_step(lambda: None).__code__


def hooks_are_taken_off() -> bool:
    """Whether `torch.compile` has taken the hooks off the optimizers, as it did before 2.3."""
    step: Any = torch.optim.SGD.step
    return getattr(step, "hooked", False) and step.__code__ is not _HOOKED_STEP


def _is_inside_a_step() -> bool:
    """Whether the `step` whose hook is running was called from within another one's.

    An update that fails never ends, so that having begun one does not tell.
    """
    steps = 0
    frame: Any = sys._getframe()
    while frame is not None and steps < 2:
        steps += frame.f_code is _HOOKED_STEP
        frame = frame.f_back
    return steps > 1
