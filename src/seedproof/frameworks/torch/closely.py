"""Every operation of one training step, through a dispatch mode: for a close look.

The mode stands below autograd, so the operations of the backward pass are seen too, and the
kernels are the same. What `torch.compile` has compiled is one operation, if it is seen at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack
from torch.utils._pytree import tree_leaves

from seedproof.frameworks.torch.found import known
from seedproof.frameworks.torch.look import look
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
        if done == step:
            closely.begin()
        elif done == step + 1:
            closely.end()

    register_optimizer_step_post_hook(updated)
    if step == 0:
        closely.begin()
    return updated


class _Closely(TorchDispatchMode):  # type: ignore[misc]  # no types of it are at hand
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._looks = False
        self._operations = Operations(recorder)
        self._digests = undisturbed(_digests, recorder)
        self._tell = undisturbed(self._operations.tell, recorder)

    def begin(self) -> None:
        """Takes its place; not above modes of the script's own, which leave in their order."""
        if self._looks:
            return
        if _modes():
            text = "not looked at closely: the script has a dispatch mode of its own"
            self._recorder.event("note", text=text)
            return
        self._looks = True
        self.__enter__()

    def end(self) -> None:
        """Leaves its place; below a mode of the script's it stays there and looks no more."""
        if self._looks:
            self._looks = False
            if _modes()[-1:] == [self]:
                self.__exit__(None, None, None)

    def __torch_dispatch__(
        self, function: Any, _types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        named = named or {}
        if not self._looks:
            return function(*arguments, **named)
        inputs = self._digests((arguments, named))
        result = function(*arguments, **named)
        outputs = [] if _leaves_memory_as_it_was(function) else self._digests(result)
        if inputs is not None and outputs is not None:
            self._tell(str(function), place_behind(""), inputs, outputs)
        return result


def _modes() -> list[Any]:
    return list(_get_current_dispatch_mode_stack())


def _leaves_memory_as_it_was(function: Any) -> bool:
    """What such an operation gives has no values yet."""
    return "empty" in str(function)


def _digests(values: Any) -> list[int]:
    return known(look([one for one in tree_leaves(values) if isinstance(one, torch.Tensor)]))
