"""Whether the system places memory at random addresses."""

from __future__ import annotations

from seedproof.frameworks.base import Done

NOT_AT_RANDOM = 0x0040000  # ADDR_NO_RANDOMIZE of Linux


def pin(at_random: bool) -> Done:
    """Tells whether it is so: nothing but the start can set it."""
    found = _found()
    if found is None or found != at_random:
        return Done(missed=("random addresses: the system does not let the start set them",))
    return Done(set=("random addresses" if at_random else "the same addresses in every run",))


vary = pin


def _found() -> bool | None:
    try:
        with open("/proc/self/personality") as file:
            return not int(file.read(), 16) & NOT_AT_RANDOM
    except (OSError, ValueError):
        return None
