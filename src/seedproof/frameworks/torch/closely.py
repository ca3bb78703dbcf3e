"""Every operation of one training step, through a dispatch mode: for a close look.

The mode stands below autograd, so the operations of the backward pass are seen too, and the
kernels are the same. What `torch.compile` has compiled is one operation, if it is seen at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seedproof.frameworks.torch.look import known, look
from seedproof.frameworks.torch.undisturbed import undisturbed
from seedproof.inside.operations import Operations
from seedproof.inside.pins.callers import place_behind

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


def watch(recorder: Recorder, step: int) -> Callable[[], None]:
    """Looks at every operation from the end of the step before `step` to its own end; what it
    returns is to be called after each update that no hook of PyTorch tells of."""
    closely = _Closely(recorder)

    def updated(*_of_a_hook: Any) -> None:
        done = recorder.step() + 1
        if done == step and not closely.entered:
            closely.__enter__()
        elif done == step + 1 and closely.entered:
            closely.entered = False
            closely.__exit__(None, None, None)

    register_optimizer_step_post_hook(updated)
    if step == 0:
        closely.__enter__()
    return updated


class _Closely(TorchDispatchMode):  # type: ignore[misc]  # no types of it are at hand
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.entered = False
        self._operations = Operations(recorder)
        self._digests = undisturbed(_digests, recorder)
        self._tell = undisturbed(self._operations.tell, recorder)

    def __enter__(self) -> Any:
        self.entered = True
        return super().__enter__()

    def __torch_dispatch__(
        self, function: Any, _types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        named = named or {}
        inputs = self._digests((arguments, named))
        result = function(*arguments, **named)
        outputs = [] if _leaves_memory_as_it_was(function) else self._digests(result)
        if inputs is not None and outputs is not None:
            self._tell(str(function), place_behind(""), inputs, outputs)
        return result


def _leaves_memory_as_it_was(function: Any) -> bool:
    """What such an operation gives has no values yet."""
    return "empty" in str(function)


def _digests(values: Any) -> list[int]:
    return known(look([one for one in tree_leaves(values) if isinstance(one, torch.Tensor)]))
