"""The time of day, and the date."""

from __future__ import annotations

import re
from datetime import datetime

from seedproof.sources.base import Source, confirmed, inside

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?", re.ASCII)
_YEARS = range(1971, 2037)  # what every system's clock can show


def _parse(text: str) -> str:
    allowed = "a date, as 2024-02-29, or one with a time, as 2024-02-29T23:59, from 1971 to 2036"
    if not _FORM.fullmatch(text):
        raise ValueError(allowed)
    try:
        year = datetime.fromisoformat(text).year
    except ValueError:
        raise ValueError(allowed) from None
    if year not in _YEARS:
        raise ValueError(allowed)
    return text


SOURCE = Source(
    id="clock",
    summary="the time of day and the date, as the script reads them",
    explanation=(
        "A seed, a split, a learning rate or a stopping rule that is taken from the time is "
        "another one in every run. The pin starts the clock at a fixed date for what the "
        "script's own files read, and lets it tick with each reading and each sleep; libraries, "
        "time-outs and the stamps of files keep the real time. A loop that trains for so many "
        "seconds therefore makes as many steps as it makes readings, not as the machine is fast."
    ),
    fix=(
        "Take seeds from the configuration, stop after a number of steps instead of a time, and "
        "use the time for messages and names of files alone."
    ),
    links=("https://docs.python.org/3/library/time.html#time.time",),
    parse=_parse,
    pinned=lambda _seed, _threads: "2024-01-01T12:00",
    variations=lambda: ("2024-02-29T23:58", "2025-06-15T03:30", "2031-12-31T12:00"),
    offer=inside("clock"),
    offered=confirmed("clock"),
    used="reads the clock",
)
