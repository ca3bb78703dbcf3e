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


class _Shown(Dict[bytes, bytes]):
    """What `os.environ` holds: it lists the user's own variables, and finds ours too. `way_in` is
    what stands first in PYTHONPATH, and is no entry of the user's; empty where it does not."""

    def __init__(self, found: Mapping[bytes, bytes], ours: Iterable[bytes], way_in: bytes) -> None:
        super().__init__()
        self.way_in = way_in if found.get(_PATH, b"").split(_SEPARATOR)[0] == way_in else b""
        self.ours = {name: found[name] for name in set(ours) if name in found}
        self.listed: Callable[[], object] = _nothing
        self.update(found)

    def update(self, found: Any) -> None:  # as `os.reload_environ` does
        """Takes over the variables of a process, but for what is ours."""
        for name, value in found.items():
            if name == _PATH and self.way_in:
                _, separator, value = value.partition(_SEPARATOR)
                if not separator:
                    continue
            if name not in self.ours:
                self[name] = value

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

    def items(self) -> Any:
        """All of them, as `repr` asks for them."""
        self.listed()
        return super().items()


def _nothing() -> None:
    """Nobody asked to be told."""


def hide(names: Iterable[str], way_in: str) -> None:
    """From now on the variables `names` are ours, and so is `way_in` where PYTHONPATH begins with
    it. Done once in a process; what it forks is in the same state."""
    global _shown
    if _shown is not None or sys.platform == "win32":
        return
    environ: Any = os.environ
    _shown = _Shown(environ._data, map(os.fsencode, names), os.fsencode(way_in))
    environ._data = os.environb._data = _shown  # type: ignore[attr-defined]
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
    tell, _shown.listed = _shown.listed, _nothing
    try:
        pairs = _pairs(given)
    except (TypeError, ValueError, AttributeError):
        return given  # the function that is given it says what is wrong
    finally:
        _shown.listed = tell
    found = {**pairs, **{name: value for name, value in _shown.ours.items() if name not in pairs}}
    if _shown.way_in:
        found[_PATH] = _with_way_in(pairs.get(_PATH))
    return [name + b"=" + value for name, value in found.items()] if _is_list(given) else found


def _is_list(given: _Given) -> bool:
    return isinstance(given, (list, tuple))


def _pairs(given: Any) -> dict[bytes, bytes]:
    if _is_list(given):
        parts = [os.fsencode(entry).partition(b"=") for entry in given]
        return {name: value for name, _, value in parts}
    return {os.fsencode(name): os.fsencode(given[name]) for name in given.keys()}  # noqa: SIM118


def _with_way_in(path: bytes | None) -> bytes:
    """A path that is there and empty leaves a separator, so that it is there again inside."""
    assert _shown is not None
    if path is None or path.split(_SEPARATOR)[0] == _shown.way_in:
        return path or _shown.way_in
    return _shown.way_in + _SEPARATOR + path


def _is_way_in(name: Any) -> bool:
    return _shown is not None and bool(_shown.way_in) and os.fsencode(name) == _PATH


def _keep_way_in() -> None:
    """Whoever sets PYTHONPATH sets what follows after us, and who takes it away, that alone."""

    def putting(original: Any) -> Callable[..., Any]:
        def call(name: Any, value: Any) -> Any:
            if _is_way_in(name):
                value = _with_way_in(os.fsencode(value))
            return original(name, value)

        return call

    def taking_away(original: Any) -> Callable[..., Any]:
        def call(name: Any) -> Any:
            if _is_way_in(name):
                return os.putenv(name, _with_way_in(None))
            return original(name)

        return call

    stand_in(os, "putenv", putting)
    stand_in(os, "unsetenv", taking_away)
    for name in ("putenv", "unsetenv"):  # up to Python 3.8 the environment holds them itself
        for environ in (os.environ, os.environb):
            if hasattr(environ, name):
                setattr(environ, name, getattr(os, name))
