"""The locale, as `LC_ALL` sets it when the interpreter starts."""

from __future__ import annotations

import _locale
import os

from seedproof.frameworks.base import Done


def pin(name: str) -> Done:
    """Tells whether the process started in it: nothing but the start can set it."""
    found = _locale.setlocale(_locale.LC_CTYPE, None)
    if _same(found, name) and _same(os.environ.get("LC_ALL", ""), name):
        return Done(set=(f"LC_ALL={name}",))
    return Done(missed=(f"the locale {name}: this machine has it not, and {found} is in force",))


vary = pin


def _same(one: str, other: str) -> bool:
    """The system spells `C.utf8` in several ways."""
    return one.lower().replace("-", "") == other.lower().replace("-", "")
