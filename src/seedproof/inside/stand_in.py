"""Puts a function of ours in the place of one of the standard library."""

from __future__ import annotations

import os
from typing import Any, Callable


class StandIn:
    """Is called in place of a function.

    As a function written in C it is no descriptor, since classes hold such functions as
    attributes, and it is pickled by its name.
    """

    def __init__(self, owner: Any, name: str, original: Any, call: Callable[..., Any]) -> None:
        self.__module__ = owner.__name__
        self.__name__ = self.__qualname__ = name
        self.__doc__ = original.__doc__
        self.__wrapped__ = original
        self._call = call

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._call(*arguments, **named)

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        return f"<stand-in for {self.__wrapped__!r}>"


def stand_in(owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Puts `make(original)` in the place of `owner.name`, if there is such a function and it has
    not been done yet."""
    original = getattr(owner, name, None)
    if original is None or isinstance(original, StandIn):
        return
    replacement = StandIn(owner, name, original, make(original))
    setattr(owner, name, replacement)
    _can_what_it_could(original, replacement)


def _can_what_it_could(original: Any, replacement: StandIn) -> None:
    """`shutil` asks by identity what a function of `os` can do."""
    for able in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        if original in able:
            able.add(replacement)
