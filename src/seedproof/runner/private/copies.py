"""A copy of a directory: modes, times, links and hard links as they were.

What is not to be copied (mounts, environments of interpreters) is left as an empty place, or
linked to. Sockets and devices are left out; what this user cannot read can still not be read.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

from seedproof.runner.private import trees

# What they lie in is an environment of an interpreter: large, and not written by trainings.
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_UNREADABLE = 0


def is_environment(directory: str) -> bool:
    """Whether a directory is a virtual or a conda environment."""
    return any(os.path.lexists(os.path.join(directory, mark)) for mark in _ENVIRONMENT_MARKS)


def environments_below(directory: str, apart: Iterable[str]) -> Iterator[str]:
    """The environments below a directory, outside of `apart`."""
    for entry in trees.entries_of(directory):
        if entry.is_dir(follow_symlinks=False) and entry.path not in apart:
            if is_environment(entry.path):
                yield entry.path
            else:
                yield from environments_below(entry.path, apart)


class Copy:
    """`target`, which exists, becomes a copy of `source` without the paths in `leave_out` and in
    `shared`; in place of the latter are links to them, or empty places where `linked` is false."""

    def __init__(
        self,
        source: str,
        target: str,
        leave_out: Iterable[str],
        shared: Iterable[str],
        linked: bool,
    ) -> None:
        self._leave_out = set(leave_out)
        self._shared = set(shared)
        self._linked = linked
        self._by_inode: dict[tuple[int, int], str] = {}
        self._directory(source, target)

    def _directory(self, source: str, target: str) -> None:
        for entry in trees.entries_of(source):
            if entry.path not in self._leave_out:
                with contextlib.suppress(FileNotFoundError):  # it went away meanwhile
                    self._entry(entry, os.path.join(target, entry.name))
        found = os.lstat(source)
        readable = os.access(source, os.R_OK | os.X_OK)
        trees.like(target, found)
        if not readable:
            os.chmod(target, _UNREADABLE)

    def _entry(self, entry: "os.DirEntry[str]", target: str) -> None:
        found = os.lstat(entry.path)
        if entry.path in self._shared:
            self._share(entry.path, target, stat.S_ISDIR(found.st_mode))
        elif stat.S_ISDIR(found.st_mode):
            os.makedirs(target, exist_ok=True)  # what is mounted in it has its place already
            self._directory(entry.path, target)
        elif stat.S_ISLNK(found.st_mode):
            trees.copy(entry.path, target)
        elif stat.S_ISREG(found.st_mode):
            self._file(entry.path, target, found)
        elif stat.S_ISFIFO(found.st_mode):
            os.mkfifo(target)
            trees.like(target, found)

    def _share(self, source: str, target: str, is_directory: bool) -> None:
        if self._linked:
            os.symlink(source, target)
        elif is_directory:
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))

    def _file(self, source: str, target: str, found: os.stat_result) -> None:
        if found.st_nlink > 1:
            twin = self._by_inode.setdefault((found.st_dev, found.st_ino), target)
            if twin != target:
                os.link(twin, target)
                return
        try:
            trees.copy_file(source, target, found)
        except PermissionError:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL, _UNREADABLE))
