"""Who makes the present call: a line of the user's own files, or a library.

The user's own is every file outside of the standard library, of `site-packages` and of this
package. Code without a file was generated, and its caller counts; where that is none of the
user's, code of `__main__` was typed by them (`python -c`, a cell of a notebook).
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Container, Iterable, NamedTuple

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INSIDE = os.path.dirname(_HERE[:-1]) + os.sep
_PACKAGE = os.path.dirname(_INSIDE[:-1]) + os.sep
# What stands between the user and a function of the standard library.
_OURS_BETWEEN = (_HERE, _INSIDE + "stand_in.py", _INSIDE + "our_variables.py")
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = ("site-packages", "dist-packages")

_REWRITTEN = "__autograph_generated_file"
_BETWEEN = ("seedproof", "importlib")  # a module that is being imported may make the call

OWN, GENERATED, STANDARD, LIBRARY, PASSES = range(5)
_kinds: dict[str, int] = {}


class Place(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int


def own_place(through: Container[str] = ()) -> Place | None:
    """The line of the user's own that makes the present call; None where a library makes it.

    Modules of the standard library that `through` names only pass the call on.
    """

    def ends(frame: Any, kind: int) -> bool:
        return kind == LIBRARY or (kind == STANDARD and _module(frame) not in through)

    return _nearest(sys._getframe(1), ends)


def place_behind(library: str) -> Place | None:
    """The nearest line of the user's own behind a call to `library`, however many other libraries
    stand between; None without one, or where code of `library` itself makes the call."""
    frame: Any = sys._getframe(1)
    while frame is not None and _module(frame) in _BETWEEN:
        frame = frame.f_back
    if frame is None or (library and _module(frame) == library):
        return None
    return _nearest(frame, lambda _frame, _kind: False)


def own_line(lines: Iterable[tuple[str, int]]) -> Place | None:
    """The first of these lines, by file and number, that is the user's own."""
    return next((Place(*line) for line in lines if _kind_of(line[0]) == OWN), None)


def _nearest(frame: Any, ends: Callable[[Any, int], bool]) -> Place | None:
    """The first of the user's own from `frame` outwards, up to one that `ends` the search."""
    typed = None
    while frame is not None:
        kind = _kind_of(frame.f_code.co_filename)
        if kind == OWN:
            return _place(frame)
        if ends(frame, kind):
            break
        if kind == GENERATED and typed is None and _module(frame) == "__main__":
            typed = _place(frame)
        frame = frame.f_back
    return typed


def _place(frame: Any) -> Place:
    """TensorFlow rewrites functions into files that have another name in every run."""
    name = frame.f_code.co_filename
    return Place(_REWRITTEN if _REWRITTEN in name else name, frame.f_lineno)


def _kind_of(name: str) -> int:
    kind = _kinds.get(name)
    if kind is None:
        kind = _kinds[name] = _kind(name)
    return kind


def _kind(name: str) -> int:
    if name.startswith("<"):
        return STANDARD if name.startswith("<frozen ") else GENERATED
    path = os.path.normpath(name)  # one that is relative is none of those that are known
    if any(part in path for part in _INSTALLED):
        return LIBRARY
    if path.startswith(_PACKAGE):
        passes = path.startswith(_OURS_BETWEEN) or path.endswith(os.sep + "pins.py")
        return PASSES if passes else LIBRARY
    return STANDARD if path.startswith(_STANDARD) else OWN


def _module(frame: Any) -> str:
    """The top-level module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
