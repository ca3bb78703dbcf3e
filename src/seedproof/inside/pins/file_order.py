"""The order in which Python lists a directory: `os.listdir`, `os.scandir`, and with them `glob`,
`Path.iterdir` and `os.walk`."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any, Callable, Iterable, Iterator

from seedproof.frameworks.base import Done
from seedproof.inside.pins import uses
from seedproof.inside.pins.callers import own_place
from seedproof.inside.stand_in import stand_in

SORTED, REVERSED = 0, 1
_THROUGH = frozenset({"glob", "os", "pathlib"})
# Classes that hold the functions, in some versions of Python.
_HOLDERS = (("pathlib", "_NormalAccessor"), ("glob", "_StringGlobber"))

_Name = Callable[[Any], Any]
_order: list[int] = []  # the order in force, none for the file system's


def pin(order: int) -> Done:
    """From now on everybody lists in this order: sorted (0), reversed (1), or shuffled by a number
    from 2 on."""
    note()
    _order[:] = [order]
    how = {SORTED: "sorted", REVERSED: "reversed"}.get(order, f"shuffled by {order}")
    return Done(set=(f"os.listdir and os.scandir {how}",))


vary = pin


def note() -> None:
    """From now on, who lists a directory is told."""
    stand_in(os, "listdir", listing)
    stand_in(os, "scandir", _scanning)
    for module, holder in _HOLDERS:
        held = getattr(sys.modules.get(module), holder, None)
        for name in ("listdir", "scandir"):
            if held is not None and hasattr(held, name):
                setattr(held, name, staticmethod(getattr(os, name)))


def listing(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A function that lists a directory, which tells of its use and keeps to the order."""

    def call(*path: Any, **named: Any) -> list[Any]:
        found = original(*path, **named)
        _tell()
        return ordered(found)

    return call


def _scanning(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*path: Any, **named: Any) -> Any:
        entries = original(*path, **named)
        _tell()
        if not _order:
            return entries
        with entries:
            return _Entries(ordered(entries, lambda entry: entry.name))

    return call


def _tell() -> None:
    place = own_place(_THROUGH)
    if place is not None:
        uses.tell("file_order", place)


def ordered(found: Iterable[Any], name: _Name = lambda one: one) -> list[Any]:
    """In the order in force, by their names."""
    if not _order:
        return list(found)
    if _order[0] <= REVERSED:
        return sorted(found, key=name, reverse=_order[0] == REVERSED)
    return sorted(found, key=lambda one: _shuffled(name(one)))


def _shuffled(name: Any) -> bytes:
    return hashlib.blake2b(os.fsencode(name), digest_size=16, salt=b"%16d" % _order[0]).digest()


class _Entries:
    """What `os.scandir` gives: an iterator that can be closed, and a context."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries: Iterator[Any] = iter(entries)

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more comes."""
        self._entries = iter(())
