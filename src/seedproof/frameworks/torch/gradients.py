"""Whether gradients may be looked at after an update, together with what it leaves: that costs
less than to look twice, and after it they are the same if the optimizer leaves them alone.
"""

from __future__ import annotations

from typing import Any, Sequence

from seedproof.frameworks.torch.found import Words, known
from seedproof.frameworks.torch.look import look

FIRST_UPDATES = 3


class GradientsLeft:
    """What has been seen of one optimizer, and of the hooks that a script has put into it.

    Both before and after the update its gradients are looked at in its first updates, and each
    time that their number has doubled, until they once are not the same.
    """

    def __init__(self) -> None:
        self._updates = 0
        self._are_touched = False

    def are_looked_at_before(self) -> bool:
        """Whether they are to be looked at before the update to come."""
        count = self._updates
        return self._are_touched or count < FIRST_UPDATES or count & (count - 1) == 0

    def updated(self) -> None:
        """An update has been made, whose gradients were not looked at before it."""
        self._updates += 1

    def looked_at_before(self, words: Words, tensors: Sequence[Any]) -> None:
        """An update has been made; the digests of its gradients were these `words` before it."""
        self.updated()
        if not self._are_touched:
            self._are_touched = known(look(tensors)) != known(words)
