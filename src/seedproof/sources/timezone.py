"""The time zone of the machine."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from seedproof.sources.base import Source, Variable, confirmed

if TYPE_CHECKING:
    from seedproof.launch import Launch

_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", re.ASCII)
_BY_OFFSET = re.compile(r"[A-Z]{3,5}[+-]?[0-9]{1,2}(:[0-9]{2})?", re.ASCII)
_ZONES = "/usr/share/zoneinfo"


def _parse(text: str) -> str:
    if not (_BY_OFFSET.fullmatch(text) or (_NAMED.fullmatch(text) and _is_known(text))):
        raise ValueError("a time zone of this machine, as UTC or Asia/Tokyo, or one as NPT-5:45")
    return text


def _is_known(name: str) -> bool:
    """Of a name that it does not know, the system makes UTC without a word."""
    return name == "UTC" or os.path.isfile(os.path.join(_ZONES, name))


def _variables(zone: str) -> tuple[Variable, ...]:
    return (Variable("TZ", zone),)


def _offer(launch: Launch, zone: str) -> Launch:
    return launch.with_environment({"TZ": zone}).with_offer("timezone", zone)


def _variations() -> tuple[str, ...]:
    """Not all are whole hours apart; by their offsets, where the machine knows no names."""
    named = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")
    known = tuple(filter(_is_known, named))
    return known if len(known) == len(named) else ("UTC", "NPT-5:45", "NST3:30", "LINT-14")


SOURCE = Source(
    id="timezone",
    summary="the time zone of the machine, in which local times and dates are meant",
    explanation=(
        "A local time means another moment in another zone, and near midnight another date. A "
        "split by day, a feature made of the hour, or a file that is named after today differ "
        "between a laptop and a server whose clock is set to UTC."
    ),
    fix=(
        "Give times their zone: datetime.now(timezone.utc), and pandas columns with utc=True; "
        "convert for people at the very end."
    ),
    links=(
        "https://docs.python.org/3/library/datetime.html#aware-and-naive-objects",
        "https://docs.python.org/3/library/time.html#time.tzset",
    ),
    parse=_parse,
    pinned=lambda _seed, _threads: "UTC",
    variables=_variables,
    variations=_variations,
    offer=_offer,
    offered=confirmed("timezone"),
    by_variables=True,
)
