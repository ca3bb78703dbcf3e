"""How far a run goes and what of it is recorded, as its launch says."""

from __future__ import annotations

from typing import Any, Mapping

STEPS = "steps"
END = "end"


class Scope:
    """`mode` is `steps`, or `end` (only what is there at the end is recorded).

    The run ends after `steps` updates or `epochs` epochs, None for all. If it is perturbed, one
    bit is to be flipped. With `notes` it tells where the user's code uses a source; at the
    step `close` every operation is looked at.
    """

    def __init__(self, launch: Mapping[str, Any]) -> None:
        self.mode: str = launch.get("recording", STEPS)
        self.steps: int | None = launch.get("steps")
        self.epochs: int | None = launch.get("epochs")
        self.close: int | None = launch.get("close")
        self.notes: bool = launch.get("notes", False)
        self._perturbed: bool = launch.get("perturbed", False)
        self._epochs_done = 0

    @property
    def is_to_be_perturbed(self) -> bool:
        """Whether `perturbs` is going to say so."""
        return self._perturbed

    def perturbs(self) -> bool:
        """True once, where this run is to be perturbed."""
        perturbed, self._perturbed = self._perturbed, False
        return perturbed

    def ends_after(self, updates: int) -> bool:
        """Whether so many updates are all that was asked for."""
        return self.steps is not None and updates >= self.steps

    def epoch_done(self) -> bool:
        """Counts an epoch; whether these are all that were asked for."""
        self._epochs_done += 1
        return self.epochs is not None and self._epochs_done >= self.epochs
