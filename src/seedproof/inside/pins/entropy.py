"""Randomness that the user's own code takes from the system: the same in every run.

It reaches what passes through Python: `os.urandom`, `uuid4`, `secrets`, `random.SystemRandom`, and
`random.Random()` or `random.seed()` without a seed. What libraries take stays as it is: their
keys, the names of temporary files.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
from typing import Any, Callable, Optional

from seedproof.frameworks.base import Done
from seedproof.inside import recorder
from seedproof.inside.pins import uses
from seedproof.inside.pins.callers import Place, own_place, place_behind
from seedproof.inside.stand_in import stand_in

_THROUGH = frozenset({"random", "secrets", "uuid"})
_SEED_BYTES = 32


def pin(seed: int) -> Done:
    """From now on it comes from `seed`."""
    note()
    _stream.seed = seed
    return Done(set=(f"os.urandom and random.Random() of the script's own calls, from {seed}",))


vary = pin


def note() -> None:
    """From now on, who takes any is told."""
    for name in ("urandom", "getrandom"):
        stand_in(os, name, _bytes_in_place_of)
    random._urandom = os.urandom  # type: ignore[attr-defined]
    if not hasattr(random.Random.seed, "__wrapped__"):
        random.Random.seed = _seed_in_place_of(random.Random.seed)  # type: ignore[method-assign]
        random.seed = random._inst.seed


def number(bits: int, library: str = "") -> int | None:
    """A number in place of one that `library` would take from the system to seed a generator; None
    where that is to stay: where no line of the user's stands behind it, or it is the library's
    own, which `seeds` governs."""
    place = place_behind(library)
    if place is None:
        return None
    drawn = _drawn(place, bits // 8)
    return None if drawn is None else int.from_bytes(drawn, "little")


class _Stream:
    """Bytes by process, place and how often they were asked for there: so that one call more
    changes nothing for the others."""

    def __init__(self) -> None:
        self.seed: Optional[int] = None  # noqa: UP045 - evaluated by Python 3.8
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()

    def draw(self, place: Place, count: int) -> bytes:
        where = f"{os.path.basename(place.file)}:{place.line}"
        with self._lock:
            number = self._counts[where] = self._counts.get(where, 0) + 1
        text = f"{self.seed}/{_role()}/{where}/{number}"
        return hashlib.shake_256(text.encode("utf-8", "surrogateescape")).digest(count)


_stream = _Stream()


def _role() -> str:
    active = recorder.current()
    return "" if active is None else active.role


def _drawn(place: Place, count: int) -> bytes | None:
    """What the user's code gets, None where that comes from the system."""
    uses.tell("entropy", place)
    return None if _stream.seed is None else _stream.draw(place, count)


def _bytes_in_place_of(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def call(size: int, *flags: Any, **named: Any) -> bytes:
        place = own_place(_THROUGH)
        drawn = None if place is None else _drawn(place, size)
        return original(size, *flags, **named) if drawn is None else drawn

    return call


def _seed_in_place_of(original: Any) -> Any:
    """The method `seed` of `random.Random`, which its making calls too."""

    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        if a is None:
            place = own_place(_THROUGH)
            drawn = None if place is None else _drawn(place, _SEED_BYTES)
            a = None if drawn is None else int.from_bytes(drawn, "little")
        original(self, a, version)

    seed.__wrapped__ = original  # type: ignore[attr-defined]
    seed.__doc__ = original.__doc__
    return seed
