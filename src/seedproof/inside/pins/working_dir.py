"""The working directory: where the command was typed, or a copy of it under another path."""

from __future__ import annotations

import os

from seedproof.frameworks.base import Done
from seedproof.inside.pins import launch

OWN = "own"


def pin(which: str) -> Done:
    """Tells whether the process started in it: nothing but the start can set it."""
    found, own = os.getcwd(), launch().get("directory", "")
    if (os.path.realpath(own) == os.path.realpath(found)) == (which == OWN):
        return Done(set=(f"the working directory is {found}",))
    return Done(missed=(f"the working directory: it is {found}",))


vary = pin
