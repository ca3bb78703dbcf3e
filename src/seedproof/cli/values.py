"""Parsers for the values of options; each raises ValueError, saying what is allowed."""

from __future__ import annotations

from seedproof.sources.base import whole_number as whole

__all__ = ["pin_item", "policy_name", "seconds", "vary_item", "whole"]


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
    """A parser for `SOURCE[=V1,V2,…]`; it stays text too."""
    from seedproof.checking import plan

    plan.vary_item(text)
    return text
