"""Finds the streams of a trace: its folders may come from anywhere, and new ones at any time."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seedproof.trace.format import EVENTS_FILE
from seedproof.trace.stream import TraceDamagedError, unreadable

# What a trace may ask a reader to look at. Forks of forks are the deepest that a writer makes.
_DEEPEST = 16
_MOST_FOLDERS = 1 << 16
_MOST_ENTRIES = 1 << 17
# As writers name them: the name of a script, the role of a worker, a number after `#`.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(#[0-9]{1,9})?")
# A change within the same tick of the file system's clock leaves the same stamp.
_COARSEST_STAMP_SECONDS = 2.0


@dataclass
class _Folder:
    """`stamp` is when its content changed last, as the file system says, first seen at `met` by our
    own clock. `settled`: all changes that bear this stamp have been seen."""

    path: Path
    stamp: int | None = None
    met: float = 0.0
    settled: bool = False


class StreamFinder:
    """The folders below `root`; one that has not changed is not read again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = {"": _Folder(root)}
        self._found: dict[str, None] = {}

    def new(self) -> list[str]:
        """The roles of the streams that have come since the last call.

        Raises TraceDamagedError for a folder that no writer makes. No link is followed.
        """
        known = len(self._found)
        waiting = list(self._folders)
        while waiting:
            waiting += self._read(waiting.pop())
        return list(self._found)[known:]

    def _read(self, role: str) -> list[str]:
        """Looks into one folder, if it has changed; the folders in it that are new."""
        folder, now = self._folders[role], time.monotonic()
        try:
            stamp = folder.path.stat(follow_symlinks=not role).st_mtime_ns
            if stamp != folder.stamp:
                folder.stamp, folder.met, folder.settled = stamp, now, False
            if folder.settled:
                return []
            new = [self._add(role, name) for name in self._new_folders(role, folder.path)]
            folder.settled = now - folder.met > _COARSEST_STAMP_SECONDS
            return new
        except FileNotFoundError:
            return []  # not there yet
        except OSError as error:
            raise unreadable(plain(folder.path), error) from None

    def _new_folders(self, role: str, path: Path) -> Iterator[str]:
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries):
                if number == _MOST_ENTRIES:
                    raise TraceDamagedError(f"{plain(path)}: too full to be a folder of a trace")
                if entry.name == EVENTS_FILE:
                    self._take_stream(role, path)
                elif entry.is_symlink():
                    raise TraceDamagedError(f"{plain(entry.path)}: a link, and no trace has links")
                elif entry.is_dir(follow_symlinks=False) and _below(role, entry.name) not in (
                    self._folders
                ):
                    yield entry.name

    def _take_stream(self, role: str, path: Path) -> None:
        if not role:
            raise TraceDamagedError(
                f"{plain(path)}: one stream of a trace; the trace is the folder above it"
            )
        self._found[role] = None

    def _add(self, role: str, name: str) -> str:
        child, path = _below(role, name), self._folders[role].path / name
        if not _NAME.fullmatch(name):
            raise TraceDamagedError(f"{plain(path)}: no name of a folder of a trace")
        if child.count("/") >= _DEEPEST:
            raise TraceDamagedError(f"{plain(path)}: too deep for a folder of a trace")
        if len(self._folders) > _MOST_FOLDERS:
            raise TraceDamagedError(f"{plain(self._root)}: too many folders for a trace")
        self._folders[child] = _Folder(path)
        return child


def _below(role: str, name: str) -> str:
    return f"{role}/{name}" if role else name


def plain(path: Path | str) -> str:
    """A path from a disk, safe for one line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(path))
