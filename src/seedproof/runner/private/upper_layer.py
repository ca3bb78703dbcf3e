"""What a run changed, read from the upper layer of its overlay.

The kernel leaves there what was created or changed, a device 0/0 for what was deleted, and
attributes on directories: `opaque` hides what the lower layer has, `redirect` says that a
directory of the lower layer was renamed to here.
"""

import os
import stat

from seedproof.runner.private import trees

_BLOCK_BYTES = 1 << 20
_PREFIXES = ("user.overlay.", "trusted.overlay.")


def gather(upper: str, lower: str, files: str) -> list[str]:
    """Moves what was written to `files`, where it has its relative name; returns the names of the
    files that are gone."""
    gathering = _Gathering(lower, files)
    gathering.directory("", upper, lower)
    return sorted(gathering.gone - gathering.kept)


class _Gathering:
    def __init__(self, lower: str, files: str) -> None:
        self._root = lower
        self._files = files
        self.kept: set[str] = set()
        self.gone: set[str] = set()

    def directory(self, name: str, upper: str, lower: str | None) -> None:
        """One directory of the upper layer, which shows what `lower` holds too."""
        before = os.path.join(self._root, name)
        moved_here = lower is not None and not _same(lower, before)
        if moved_here or lower is None:
            self._lose(name)
        trees.open_up(upper)
        entries = trees.entries_of(upper)
        for entry in entries:
            self._entry(os.path.join(name, entry.name), entry, lower)
        if moved_here and lower is not None:
            covered = {entry.name for entry in entries}
            self._take_what_moved(name, lower, covered)

    def _entry(self, name: str, entry: "os.DirEntry[str]", lower: str | None) -> None:
        found = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            self.directory(name, entry.path, self._merged(entry, lower))
        elif stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
            self._written(name, entry.path, found)
        else:  # whiteouts; what else is no plain file leaves nothing to compare
            self._lose(name)

    def _written(self, name: str, path: str, found: os.stat_result) -> None:
        before = os.path.join(self._root, name)
        if os.path.isdir(before) and not os.path.islink(before):
            self._lose(name)
        if not _unchanged(path, found, before):
            self.kept.add(name)
            trees.move(path, os.path.join(self._files, name))

    def _merged(self, entry: "os.DirEntry[str]", lower: str | None) -> str | None:
        """The directory of the lower layer that shows through one of the upper layer."""
        redirect = _attribute(entry.path, "redirect")
        if redirect:
            base = self._root if redirect.startswith(b"/") else lower or self._root
            path = os.path.join(base, os.fsdecode(redirect.lstrip(b"/")))
        elif lower is None or _attribute(entry.path, "opaque") == b"y":
            return None
        else:
            path = os.path.join(lower, entry.name)
        return path if os.path.isdir(path) and not os.path.islink(path) else None

    def _take_what_moved(self, name: str, lower: str, covered: set[str]) -> None:
        for inner, _ in trees.files_below(lower):
            if inner.partition("/")[0] not in covered:
                path = os.path.join(name, inner)
                self.kept.add(path)
                trees.copy(os.path.join(lower, inner), os.path.join(self._files, path))

    def _lose(self, name: str) -> None:
        """What was at `name` before is there no more, unless it was written anew."""
        before = os.path.join(self._root, name)
        if os.path.isdir(before) and not os.path.islink(before):
            self.gone.update(os.path.join(name, inner) for inner, _ in trees.files_below(before))
        elif os.path.lexists(before):
            self.gone.add(name)


def _same(one: str, other: str) -> bool:
    return os.path.normpath(one) == os.path.normpath(other)


def _attribute(path: str, name: str) -> bytes:
    for prefix in _PREFIXES:
        try:
            return os.getxattr(path, prefix + name, follow_symlinks=False)
        except OSError:
            pass  # it has none
    return b""


def _unchanged(path: str, found: os.stat_result, before: str) -> bool:
    """Whether a file was only opened for writing: it is copied up then, with its times."""
    try:
        old = os.lstat(before)
        return stat.S_ISREG(found.st_mode) and _facts(old) == _facts(found) and _equal(path, before)
    except OSError:
        return False


def _facts(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_mode, found.st_size, found.st_mtime_ns)


def _equal(one: str, other: str) -> bool:
    with open(one, "rb") as ours, open(other, "rb") as theirs:
        while block := ours.read(_BLOCK_BYTES):
            if block != theirs.read(_BLOCK_BYTES):
                return False
    return True
