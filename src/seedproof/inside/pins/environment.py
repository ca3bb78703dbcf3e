"""The environment: so many bytes more than the user's own, and who reads all of it."""

from __future__ import annotations

import os

from seedproof.frameworks.base import Done
from seedproof.inside import our_variables
from seedproof.inside.pins import uses
from seedproof.inside.pins.callers import own_place

PADDING = "_SEEDPROOF_PADDING"
_THROUGH = frozenset({"os", "collections"})


def pin(size: int) -> Done:
    """Tells whether the process has them: nothing but the start can set them."""
    found = len(os.environ.get(PADDING, ""))
    if found == size:
        return Done(set=(f"an environment with {size} bytes more",))
    return Done(missed=(f"the environment: it has {found} bytes more, not {size}",))


vary = pin


def note() -> None:
    """From now on, who lists all variables is told."""
    our_variables.when_listed(_tell)


def _tell() -> None:
    place = own_place(_THROUGH)
    if place is not None:
        uses.tell("environment", place)
