"""The home directory: the user's own, or an empty one that the start made for this run."""

from __future__ import annotations

import os

from seedproof.frameworks.base import Done
from seedproof.inside.pins import run_directory

EMPTY = "empty"


def pin(which: str) -> Done:
    """Tells whether the process has it: nothing but the start can set it."""
    found = os.environ.get("HOME", "")
    is_empty = os.path.normpath(found) == os.path.normpath(os.path.join(run_directory(), "home"))
    if is_empty == (which == EMPTY):
        return Done(set=(f"HOME={found}",))
    return Done(missed=(f"the home directory: it is {found}",))


vary = pin
