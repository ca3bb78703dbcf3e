"""The time zone, as the variable `TZ` sets it."""

from __future__ import annotations

import os
import time

from seedproof.frameworks.base import Done
from seedproof.inside.machine import variable_at_start


def pin(zone: str) -> Done:
    """Sets it, also in a process that has started in another one."""
    os.environ["TZ"] = zone
    if hasattr(time, "tzset"):
        time.tzset()
        return Done(set=(f"TZ={zone}",))
    return Done(missed=("the time zone: on this system it is not taken from TZ",))


def vary(zone: str) -> Done:
    """Tells whether the process started in it."""
    found = variable_at_start("TZ")
    if found == zone and hasattr(time, "tzset"):
        return Done(set=(f"TZ={zone}",))
    return Done(missed=(f"the time zone: TZ is {found}",))
