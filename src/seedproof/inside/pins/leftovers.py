"""What a run finds of an earlier one: nothing, or what the start let one leave behind."""

from __future__ import annotations

import os

from seedproof.frameworks.base import Done
from seedproof.inside.pins import launch, run_directory

NONE = "none"
EARLIER = "earlier"  # the directory of the earlier run, in that of this one
ENDED = "ended"  # a file in it: how the earlier run ended


def pin(_none: str) -> Done:
    """Tells whether this run is alone in its directory."""
    if launch().get("view", "shared") == "shared":
        return Done(missed=("leftovers: in place, a run finds what the ones before it have left",))
    return Done(set=("a private view of the directory, as it was at the start",))


def vary(which: str) -> Done:
    """Tells whether an earlier run has come to its end."""
    if which == NONE:
        return pin(which)
    try:
        with open(os.path.join(run_directory(), EARLIER, ENDED)) as file:
            status = int(file.read())
    except (OSError, ValueError):
        return Done(missed=("leftovers: no earlier run was made",))
    if status != 0:
        return Done(missed=(f"leftovers: the earlier run failed, with status {status}",))
    return Done(set=("an earlier run in the same directory",))
