"""Files and trees of them: copied, moved, removed."""

import contextlib
import os
import stat
from collections.abc import Iterator

_FICLONE = 0x40049409
_BLOCK_BYTES = 1 << 24
_KEPT_BITS = 0o7777


def copy_file(source: str, target: str, found: os.stat_result) -> bool:
    """Copies a plain file with its mode and times; where the file system can, the two share their
    blocks until one is written. Returns whether they do."""
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        shared = _clone(reader.fileno(), writer.fileno())
        while not shared and (block := reader.read(_BLOCK_BYTES)):
            _write_all(writer.fileno(), block)
    like(target, found)
    return shared


def _clone(source: int, target: int) -> bool:
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def _write_all(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def like(path: str, found: os.stat_result) -> None:
    """Gives a file or directory the owner, mode and times of another, as far as this user may."""
    if hasattr(os, "chown"):
        for uid, gid in ((found.st_uid, -1), (-1, found.st_gid)):
            with contextlib.suppress(OSError):
                os.chown(path, uid, gid)
    os.chmod(path, found.st_mode & _KEPT_BITS)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def move(source: str, target: str) -> None:
    """Moves a file or link, across file systems too; the directory of `target` is made."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.rename(source, target)
    except OSError:
        copy(source, target)
        os.unlink(source)


def copy(source: str, target: str) -> None:
    """Copies a plain file or a link; the directory of `target` is made."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    found = os.lstat(source)
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(source), target)
        if os.utime in os.supports_follow_symlinks:
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)
    else:
        copy_file(source, target, found)


def files_below(
    directory: str, name: str = "", *, ours: bool = False
) -> Iterator[tuple[str, os.stat_result]]:
    """The relative names of all plain files and links below `directory`, and what they are.

    What cannot be read holds none; in a tree of `ours` everything is made readable.
    """
    if ours:
        open_up(os.path.join(directory, name))
    for entry in entries_of(os.path.join(directory, name)):
        inner = os.path.join(name, entry.name)
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(directory, inner, ours=ours)
        elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
            yield inner, entry.stat(follow_symlinks=False)


def entries_of(directory: str) -> list["os.DirEntry[str]"]:
    """What is in a directory, in its own order; nothing where it cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []


def open_up(directory: str) -> None:
    """Makes a directory of ours readable, whatever mode a run gave it."""
    with contextlib.suppress(OSError):
        os.chmod(directory, 0o700)


def remove(path: str) -> None:
    """Removes a tree of ours, whatever modes it has; what cannot be removed stays."""
    open_up(path)
    for entry in entries_of(path):
        if entry.is_dir(follow_symlinks=False):
            remove(entry.path)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
    with contextlib.suppress(OSError):
        os.rmdir(path)
