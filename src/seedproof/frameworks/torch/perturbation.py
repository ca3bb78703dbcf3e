"""One bit flipped, where a run is to show that the recording sees a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable

import torch
from torch.nn.parameter import is_lazy

from seedproof.frameworks.torch.look import dense_parts

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder

_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def perturb(recorder: Recorder, params: Iterable[Any]) -> None:
    """Flips the lowest bit of the largest element of the first weights, in the run that is to be
    perturbed; later calls do nothing."""
    weights = next(filter(_can_be_perturbed, params), None)
    if weights is not None and recorder.perturbs():
        (dense, *_) = dense_parts(weights)
        bits = _BITS[dense.element_size()]
        dense.detach()[_largest(dense)].view(bits).bitwise_xor_(1)


def _can_be_perturbed(param: Any) -> bool:
    """It is trained, of numbers, and there already."""
    trained = param.requires_grad and param.is_floating_point()
    return trained and not is_lazy(param) and param.numel() > 0


def _largest(tensor: Any) -> tuple[int, ...]:
    """The indices of the element that is furthest from zero."""
    flat = int(tensor.detach().double().abs().argmax())
    indices: list[int] = []
    for length in reversed(tensor.shape):
        flat, index = divmod(flat, length)
        indices.insert(0, index)
    return tuple(indices)
