"""What is known of objects that live elsewhere, by their identity, as long as they live.

It is the object that counts, not what it is equal to, and not its place in memory, which may be
another object's later.
"""

from __future__ import annotations

import weakref
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ByIdentity(Generic[T]):
    """Something about each of some objects."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, T]] = {}

    def get(self, thing: Any) -> T | None:
        """What is known of `thing`."""
        known = self._known.get(id(thing))
        return known[1] if known is not None and known[0]() is thing else None

    def put(self, thing: Any, fact: T) -> T:
        """From now on this is known; raises TypeError for what cannot be referred to weakly."""
        key, forget = id(thing), self._known.pop
        self._known[key] = (weakref.ref(thing, lambda _: forget(key, None)), fact)
        return fact
