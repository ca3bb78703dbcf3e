"""What a directory holds, as far as it matters to whoever would copy it or lay a view over it."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from seedproof.runner.private import trees

MOST_FILES = 200_000


@dataclass(frozen=True)
class Survey:
    """`files` and `bytes` are what is there; where there are more than MOST_FILES files nobody
    looked further. `foreign` is a file of another user or group, empty where there is none."""

    files: int = 0
    bytes: int = 0
    foreign: str = ""


def survey(directory: str, apart: Collection[str]) -> Survey:
    """Looks at everything below `directory` but the paths in `apart`."""
    files, size, foreign = 0, 0, ""
    mine = (os.getuid(), os.getgid()) if hasattr(os, "getuid") else None
    for path, found in _everything(directory, apart):
        if not foreign and mine and (found.st_uid, found.st_gid) != mine:
            foreign = path
        if not stat.S_ISDIR(found.st_mode):
            files += 1
            size += found.st_size
        if files > MOST_FILES:
            break
    return Survey(files, size, foreign)


def _everything(directory: str, apart: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
    for entry in trees.entries_of(directory):
        if entry.path in apart:
            continue
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # it went away meanwhile
            continue
        yield entry.path, found
        if stat.S_ISDIR(found.st_mode):
            yield from _everything(entry.path, apart)
