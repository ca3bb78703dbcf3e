"""The variables of the environment that are ours: they carry the recording into child processes.

Whoever lists `os.environ` does not see them, since a training that hashes its whole environment
would part because it is observed; whoever asks for one by its name gets it, and every child
process does. Where processes start without `fork` (Windows) they stand among the others.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Union

from seedproof.inside.stand_in import stand_in

_PATH = b"PYTHONPATH"
_OF_OS = ("execve", "posix_spawn", "posix_spawnp")  # their third argument is an environment
_OF_FORK_EXEC = 5
_SEPARATOR = os.fsencode(os.pathsep)

_Given = Union[Mapping[Any, Any], List[bytes], None]
_shown: Optional[_Shown] = None  # noqa: UP045 - evaluated by Python 3.8
_way_in = b""  # what stands first in PYTHONPATH, and is no entry of the user's


class _Shown(Dict[bytes, bytes]):
    """What `os.environ` holds: it lists the user's own variables, and finds ours too."""

    def __init__(self, found: Mapping[bytes, bytes], ours: Iterable[bytes]) -> None:
        super().__init__(found)
        self.ours = {name: self.pop(name) for name in set(ours) if name in found}
        self.listed: Callable[[], object] = _nothing

    def __missing__(self, name: bytes) -> bytes:
        return self.ours[name]

    def __delitem__(self, name: bytes) -> None:
        if name in self:
            super().__delitem__(name)
        else:
            del self.ours[name]

    def __iter__(self) -> Iterator[bytes]:
        self.listed()
        return super().__iter__()


def _nothing() -> None:
    """Nobody asked to be told."""


def hide(names: Iterable[str], way_in: str) -> None:
    """From now on the variables `names` are ours, and so is `way_in` where PYTHONPATH begins with
    it. Done once in a process; what it forks is in the same state."""
    global _shown, _way_in
    if _shown is not None or sys.platform == "win32":
        return
    environ: Any = os.environ
    _shown = _Shown(environ._data, map(os.fsencode, names))
    environ._data = os.environb._data = _shown  # type: ignore[attr-defined]
    _hide_way_in(os.fsencode(way_in))
    _give_to_children()


def put(name: str, value: str) -> None:
    """A variable of ours, hidden if that was begun."""
    if _shown is None:
        os.environ[name] = value
    else:
        os.putenv(name, value)
        _shown.ours[os.fsencode(name)] = os.fsencode(value)


def when_listed(tell: Callable[[], object]) -> None:
    """Calls `tell()` whenever somebody lists all variables."""
    if _shown is not None:
        _shown.listed = tell


def _hide_way_in(way_in: bytes) -> None:
    global _way_in
    assert _shown is not None
    first, _, own = _shown.get(_PATH, b"").partition(_SEPARATOR)
    if first != way_in:
        return
    _way_in = way_in
    del _shown[_PATH]
    if own:
        _shown[_PATH] = own


# -- what children get -------------------------------------------------------------------------


def _give_to_children() -> None:
    """A child that is given no environment takes the process's own, which has all of them, and
    keeps them whatever is set there; to one that is given an environment they are added."""
    import _posixsubprocess

    for name in _OF_OS:
        stand_in(os, name, _giving(2, "env"))
    owners = (_posixsubprocess, "fork_exec"), (sys.modules.get("subprocess"), "_fork_exec")
    for owner, name in owners:
        stand_in(owner, name, _giving(_OF_FORK_EXEC, ""))
    _keep_way_in()


def _giving(at: int, keyword: str) -> Callable[[Any], Callable[..., Any]]:
    """Adds ours to the environment that is argument number `at`, or is named."""

    def make(original: Any) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if keyword in named:
                named[keyword] = with_ours(named[keyword])
            elif len(arguments) > at:
                arguments = (*arguments[:at], with_ours(arguments[at]), *arguments[at + 1 :])
            return original(*arguments, **named)

        return call

    return make


def with_ours(given: _Given) -> _Given:
    """The environment of a child, as a mapping or as a list of `NAME=VALUE`, with what is ours;
    None, the process's own, has it."""
    if given is None or _shown is None:
        return given
    try:
        pairs = _pairs(given)
    except (TypeError, ValueError, AttributeError):
        return given  # the function that is given it says what is wrong
    found = {**_shown.ours, **pairs}
    if _way_in:
        found[_PATH] = _with_way_in(pairs.get(_PATH, b""))
    return [name + b"=" + value for name, value in found.items()] if _is_list(given) else found


def _is_list(given: _Given) -> bool:
    return isinstance(given, (list, tuple))


def _pairs(given: Any) -> dict[bytes, bytes]:
    if _is_list(given):
        parts = [os.fsencode(entry).partition(b"=") for entry in given]
        return {name: value for name, _, value in parts}
    return {os.fsencode(name): os.fsencode(given[name]) for name in given.keys()}  # noqa: SIM118


def _with_way_in(path: bytes) -> bytes:
    if path.split(_SEPARATOR)[0] == _way_in:
        return path
    return _way_in + _SEPARATOR + path if path else _way_in


def _keep_way_in() -> None:
    """Whoever sets PYTHONPATH sets what follows after us, and who takes it away, that alone."""

    def putting(original: Any) -> Callable[..., Any]:
        def call(name: Any, value: Any) -> Any:
            if _way_in and os.fsencode(name) == _PATH:
                value = _with_way_in(os.fsencode(value))
            return original(name, value)

        return call

    def taking_away(original: Any) -> Callable[..., Any]:
        def call(name: Any) -> Any:
            if _way_in and os.fsencode(name) == _PATH:
                return os.putenv(name, b"")
            return original(name)

        return call

    stand_in(os, "putenv", putting)
    stand_in(os, "unsetenv", taking_away)
    for name in ("putenv", "unsetenv"):  # up to Python 3.8 the environment holds them itself
        for environ in (os.environ, os.environb):
            if hasattr(environ, name):
                setattr(environ, name, getattr(os, name))
