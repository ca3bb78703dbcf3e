"""Parsers for the values of options; each raises ValueError, saying what is allowed."""

from __future__ import annotations

import re

from seedproof.sources.base import whole_number as whole

__all__ = ["extent", "glob", "pin_item", "policy_name", "seconds", "vary_item", "whole"]

STANDARD_OUTPUT = "-"
_MANY = 10**12


def seconds(text: str) -> float:
    """A parser for a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ValueError("a number of seconds above 0")
    return value


def policy_name(text: str) -> str:
    """A parser for the name of a policy."""
    from seedproof.policies import POLICIES

    if text not in POLICIES:
        raise ValueError("one of " + ", ".join(POLICIES))
    return text


def pin_item(text: str) -> str:
    """A parser for `SOURCE[=VALUE]`; it stays text, so that it can be kept and typed again."""
    from seedproof.checking import plan

    plan.pin_item(text)
    return text


def vary_item(text: str) -> str:
    """A parser for `SOURCE[=V1,V2,…]`, `all` and `-SOURCE`; it stays text too."""
    from seedproof.checking import plan

    plan.check_vary_item(text)
    return text


def extent(text: str) -> str:
    """A parser for `K` steps, or `1epoch` or more; it stays text."""
    scope_of(text)
    return text


def scope_of(text: str) -> dict[str, int]:
    """`K` or `Nepoch` as the scope of a launch."""
    found = re.fullmatch(r"([0-9]+)(epochs?)?", text)
    try:
        number = whole(1, _MANY)(found[1] if found else "")
    except ValueError:
        raise ValueError("a number of steps from 1, or 1epoch, 2epochs …") from None
    return {"epochs" if found and found[2] else "steps": number}


def glob(text: str) -> str:
    """A parser for the files to compare: a pattern below the working directory, or `-`."""
    if text != STANDARD_OUTPUT:
        from seedproof.compare.files import globs

        globs.parse([text])
    return text
