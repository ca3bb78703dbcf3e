"""Buffers as they were before their module was first called in a training.

The initial weights of an optimizer are recorded at its first update. The call that leads to it has
changed what a module keeps of its batches by then, as batch normalization does: taken for initial,
that would be said to differ where it was the batch that differed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Tuple
from weakref import WeakKeyDictionary

import torch

from seedproof.frameworks.torch.look import look

if TYPE_CHECKING:
    from seedproof.frameworks.torch.found import Words
    from seedproof.frameworks.torch.modules import Slot

_modules = torch.nn.Module.modules

# By buffer: what holds it, so that nothing else can be taken for it, and its digest.
_Seen = Dict[Tuple[int, str], Tuple[Dict[str, Any], "Words"]]


class InitialBuffers:
    """Those of all modules that were met, as long as these are there."""

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[Any, _Seen] = WeakKeyDictionary()

    def meet(self, module: Any) -> None:
        """A module is about to be called for the first time."""
        self._seen[module] = {
            (id(part._buffers), key): (part._buffers, look([buffer]))
            for part in _modules(module)
            for key, buffer in part._buffers.items()
        }

    def words(self, slot: Slot) -> Words:
        """The digest of a buffer, as it was; as it is, where nothing is known of it."""
        place = id(slot.buffers), slot.key
        for seen in list(self._seen.values()):
            if place in seen:
                return seen[place][1]
        return look([slot.tensor()])
