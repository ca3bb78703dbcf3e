"""Standard input, given whole to each run of a check.

A file is opened anew for each run, where it stood; what comes through a pipe is kept in the
check's directory while it arrives, and each run gets it from its beginning through a pipe of its
own. A terminal is nobody's input: a run finds the end of its input at once, as it does where
there is none. So `isatty()` is False in every run.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from seedproof.errors import UsageError
from seedproof.runner.spool import Spool

_TOLD_FILE = "stdin.json"
_FILE, _PIPE, _NONE = "file", "pipe", "none"


class StandardInput(Protocol):
    """What runs read."""

    def for_run(self) -> AbstractContextManager[int | None]:
        """A descriptor for one more run, which is to be inherited meanwhile; None for no input."""


class EmptyInput:
    """Nothing to read."""

    def for_run(self) -> AbstractContextManager[int | None]:
        """No descriptor."""
        return contextlib.nullcontext()


class FileInput:
    """A plain file from an offset on; it must stay as it is."""

    def __init__(self, path: str, offset: int, size: int, changed_ns: int) -> None:
        self._path = path
        self._offset = offset
        self._facts = (size, changed_ns)

    @contextlib.contextmanager
    def for_run(self) -> Iterator[int]:
        """The file, opened anew; UsageError where it is another than it was."""
        with contextlib.ExitStack() as opened:
            try:
                descriptor = os.open(self._path, os.O_RDONLY)
                opened.callback(os.close, descriptor)
                found = os.fstat(descriptor)
            except OSError as error:
                raise self._lost(str(error.strerror)) from None
            if (found.st_size, found.st_mtime_ns) != self._facts:
                raise self._lost("it has changed")
            os.lseek(descriptor, self._offset, os.SEEK_SET)
            yield descriptor

    def _lost(self, reason: str) -> UsageError:
        return UsageError(
            f"{self._path}: the standard input of the runs that are done cannot be had any more "
            f"({reason}); start a new check"
        )


class PipedInput:
    """What came through a pipe, from its beginning, while it is still coming."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    @contextlib.contextmanager
    def for_run(self) -> Iterator[int]:
        """The reading end of a pipe of its own; nobody waits for what a run does not read."""
        reading, writing = os.pipe()
        threading.Thread(target=self._spool.feed, args=(writing,), daemon=True).start()
        try:
            yield reading
        finally:
            os.close(reading)


def standard_input(
    directory: Path, *, going_on: bool = False, descriptor: int = 0
) -> StandardInput:
    """The standard input of this process, for the runs of the check in `directory`.

    A check that is gone on with (`going_on`) gets the input that it began with; UsageError where
    that is not to be had any more.
    """
    if sys.platform == "win32":
        return EmptyInput()
    told = _told(directory) if going_on else None
    if told is None:
        told = _described(descriptor)
        (directory / _TOLD_FILE).write_text(json.dumps(told), "utf-8")
    if told["kind"] == _FILE:
        return FileInput(told["path"], told["offset"], told["size"], told["changed_ns"])
    if told["kind"] == _PIPE:
        return PipedInput(_spool(directory, descriptor, going_on))
    return EmptyInput()


def _told(directory: Path) -> dict[str, Any] | None:
    """What an interrupted check has read from; None where its runs cannot have read anything."""
    try:
        told: dict[str, Any] = json.loads((directory / _TOLD_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if told["kind"] == _PIPE and Spool.kept(directory) is None and not Spool.began(directory):
        return None
    return told


def _spool(directory: Path, descriptor: int, going_on: bool) -> Spool:
    if not going_on:
        return Spool.filled_from(descriptor, directory)
    kept = Spool.kept(directory)
    if kept is None and Spool.began(directory):
        raise UsageError(
            "--continue: the interrupted check read its standard input from a pipe that had not "
            "ended; start a new check with the same input"
        )
    return kept or Spool.filled_from(descriptor, directory)


def _described(descriptor: int) -> dict[str, Any]:
    try:
        found = os.fstat(descriptor)
    except OSError:  # it is closed
        return {"kind": _NONE}
    if stat.S_ISREG(found.st_mode):
        path = _path_of(descriptor, found)
        # A file without a name, or which may not be opened again, is read once, and kept.
        return {"kind": _PIPE} if path is None else _file(path, descriptor, found)
    piped = stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode)
    return {"kind": _PIPE if piped else _NONE}


def _file(path: str, descriptor: int, found: os.stat_result) -> dict[str, Any]:
    offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    facts = {"size": found.st_size, "changed_ns": found.st_mtime_ns}
    return {"kind": _FILE, "path": path, "offset": offset, **facts}


def _path_of(descriptor: int, found: os.stat_result) -> str | None:
    try:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        same = os.path.samestat(found, Path(path).stat())
    except OSError:
        return None
    return path if same and os.access(path, os.R_OK) else None
