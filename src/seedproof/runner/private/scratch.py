"""The directory in which a private view lies while its run goes on.

It is locked as long as its guard lives; what a killed one left is removed by `sweep`.
"""

import contextlib
import os
import time
from collections.abc import Iterator

from seedproof.runner.private import trees

PREFIX = ".seedproof-view-"
TREE = "tree"
_LOCK = "lock"
_BEING_MADE_SECONDS = 60.0


def new_name() -> str:
    """A name that no other scratch directory has."""
    return os.urandom(8).hex()


def path_of(place: str, name: str) -> str:
    """Where the scratch directory called `name` lies in `place`."""
    return os.path.join(place, PREFIX + name)


def tree_of(place: str, name: str) -> str:
    """Where a copy lies in it."""
    return os.path.join(path_of(place, name), TREE)


class Scratch:
    """A directory for nobody but this process; see `path_of`."""

    def __init__(self, place: str, name: str) -> None:
        self.path = path_of(place, name)
        os.makedirs(place, exist_ok=True)
        os.mkdir(self.path, 0o700)
        locked = os.path.join(self.path, _LOCK)
        self._lock = os.open(locked + ".new", os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(self._lock) or os.name == "posix":  # elsewhere what is open keeps its name
            os.rename(locked + ".new", locked)

    def make(self, *names: str) -> list[str]:
        """New directories in it, by these names."""
        paths = [os.path.join(self.path, name) for name in names]
        for path in paths:
            os.mkdir(path, 0o700)
        return paths

    def remove(self) -> None:
        """Removes it with all that is in it; what cannot be removed stays."""
        os.close(self._lock)
        trees.remove(self.path)


def sweep(place: str) -> None:
    """Removes what guards that were killed have left in `place`; nothing is raised."""
    for path in _own_in(place):
        if _is_left(path):
            trees.remove(path)


def _own_in(place: str) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            owned = not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == (
                os.getuid()
            )
            if entry.name.startswith(PREFIX) and owned and entry.is_dir(follow_symlinks=False):
                yield entry.path


def _is_left(path: str) -> bool:
    """Whether nobody holds it, or whoever made it did not come to lock it."""
    try:
        lock = os.open(os.path.join(path, _LOCK), os.O_RDWR)
    except FileNotFoundError:
        return _age(path) > _BEING_MADE_SECONDS
    except OSError:
        return False
    try:
        return _lock(lock)
    finally:
        os.close(lock)


def _age(path: str) -> float:
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _lock(descriptor: int) -> bool:
    """Whether this process now holds the lock, until it ends."""
    try:
        import fcntl

        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False  # somebody else has it, or there are no such locks here
    return True
