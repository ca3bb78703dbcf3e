"""The weights of each optimizer as its last update left them.

They are written when the optimizer is gone, or when the recording ends. When an optimizer goes is
up to the garbage collector, and its weights may have been changed by then (the best ones loaded, a
second optimizer at work): what is recorded must not depend on it. So it is the digests that were
found after the last update or, where nothing is recorded at the steps, those of now if no weight
has been written to since. Else there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from seedproof.frameworks.torch.found import Words, known
from seedproof.frameworks.torch.gradients import versions
from seedproof.frameworks.torch.look import look
from seedproof.trace.format import FINAL

if TYPE_CHECKING:
    from seedproof.frameworks.torch.points import Points
    from seedproof.frameworks.torch.rows import Rows

PHASE = "output"


class FinalWeights:
    """The parameters of one optimizer: they live as long as it does, and so may be held here."""

    def __init__(self, owner: str) -> None:
        self._group = FINAL + owner
        self._params: Sequence[Any] = ()
        self._names: Sequence[str] = ()
        self._step = -1
        self._versions: list[int] = []
        self._found: Sequence[Words] | None = None

    def updated(
        self, params: Sequence[Any], names: Sequence[str], step: int, found: Sequence[Words] | None
    ) -> None:
        """Update `step` has been made; `found` are the digests of the gradients, then those after
        the update, first the parameters'."""
        self._params, self._names, self._step = params, names, step
        self._versions = versions(params) if found is None else []
        self._found = found

    def write(self, rows: Rows, points: Points) -> None:
        """One row, and the values if they are what the row says."""
        if not self._params or (self._found is None and self._are_touched()):
            return
        now = known(look(self._params))
        words = now if self._found is None else self._after_update(self._found)
        named = list(zip(self._names, self._params))
        rows.write(self._group, rows.columns(self._group, PHASE, named), self._step, words)
        if now == words:
            points.values(PHASE, named, self._step)

    def _are_touched(self) -> bool:
        return versions(self._params) != self._versions

    def _after_update(self, found: Sequence[Words]) -> list[int]:
        count = len(self._params)
        return [word for words in found for word in known(words)][count : 2 * count]
