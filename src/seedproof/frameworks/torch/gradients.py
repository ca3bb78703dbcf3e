"""The gradients that an optimizer receives: looked at before its update or, together with what it
leaves, after it. That costs less, and they are the same if the optimizer leaves them alone.
"""

from __future__ import annotations

from typing import Any, Sequence

from seedproof.frameworks.torch.found import Words, known
from seedproof.frameworks.torch.look import NOTHING, look

FIRST_UPDATES = 3


class GradientsLeft:
    """Whether one optimizer, with the hooks that a script has put into it, leaves its gradients
    alone, as far as has been seen.

    In its first updates, and each time that their number has doubled, they are looked at before
    the update and compared with what is there after it; once they were not the same, always.
    """

    def __init__(self) -> None:
        self._updates = 0
        self._have_changed = False

    def may_wait(self) -> bool:
        """Whether those of the update to come may be looked at after it."""
        count = self._updates
        return count >= FIRST_UPDATES and count & (count - 1) != 0 and not self._have_changed

    def updated(self, have_changed: bool) -> None:
        """An update has been made."""
        self._updates += 1
        self._have_changed |= have_changed


class Gradients:
    """Those of one update; without `left` they are looked at before it in any case."""

    def __init__(self, tensors: Sequence[Any], left: GradientsLeft | None = None) -> None:
        self._tensors = tensors
        self._left = left
        self._versions = versions(tensors)
        self._words = None if left is not None and left.may_wait() else look(tensors)
        self.are_lost = False

    def after_update(self, now: Sequence[Any]) -> Words | None:
        """Their digests, or None where those of the tensors that are there `now` are the same.

        Where they waited and have changed they `are_lost`: then they are said not to be there.
        """
        if self._left is None:
            return self._words
        have_changed = self._have_changed(now)
        self._left.updated(have_changed)
        self.are_lost = have_changed and self._words is None
        return [NOTHING] * len(now) if self.are_lost else self._words

    def _have_changed(self, now: Sequence[Any]) -> bool:
        same = all(one is other for one, other in zip(now, self._tensors))
        if not same or versions(now) != self._versions:
            return True
        try:
            return self._words is not None and known(look(now)) != known(self._words)
        except TypeError:  # their memory has been given back
            return True


def versions(tensors: Sequence[Any]) -> list[int]:
    """How often each has been written to in place, as far as PyTorch counts it."""
    return [-1 if tensor is None else tensor._version for tensor in tensors]
