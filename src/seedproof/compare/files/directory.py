"""The files that patterns name in a directory; links never lead out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedproof.compare.files.globs import Pattern

_Places = tuple[frozenset[int], ...]


@dataclass
class Matches:
    """What was found in a directory.

    `files` are the plain files, by their relative paths, with where each really lies. `unread` are
    paths that match and cannot be looked at, with the reason. `met` are the numbers of the
    patterns that name something here.
    """

    files: dict[str, Path] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)


def matches(directory: Path, patterns: Sequence[Pattern]) -> Matches:
    """All that the patterns name below a directory; one that is not there holds nothing."""
    walk = _Walk(directory, patterns)
    if directory.is_dir():
        walk.through("", directory, tuple(pattern.start() for pattern in patterns))
    return walk.found


class _Walk:
    def __init__(self, directory: Path, patterns: Sequence[Pattern]) -> None:
        self._root = Path(os.path.realpath(directory))
        self._patterns = patterns
        self.found = Matches()

    def through(self, path: str, directory: Path, places: _Places) -> None:
        """Takes in a directory and what lies below it."""
        waiting = [(path, directory, places)]
        while waiting:
            path, directory, places = waiting.pop()
            try:
                entries = list(os.scandir(directory))
            except OSError as error:
                self.found.unread[path or "."] = f"it cannot be read ({error.strerror})"
                continue
            waiting.extend(inner for entry in entries for inner in self._take(path, entry, places))

    def _take(
        self, path: str, entry: os.DirEntry[str], places: _Places
    ) -> Iterator[tuple[str, Path, _Places]]:
        """Notes one entry; yields it where patterns go on below it."""
        pairs = zip(self._patterns, places, strict=True)
        after = tuple(pattern.after(at, entry.name) for pattern, at in pairs)
        if not any(after):
            return
        name = f"{path}/{entry.name}" if path else entry.name
        if entry.is_symlink():
            self._follow(name, Path(entry.path), after)
        elif entry.is_dir(follow_symlinks=False):
            yield name, Path(entry.path), after
        elif self._matched(after):
            self._add(name, Path(entry.path), entry.is_file(follow_symlinks=False), after)

    def _follow(self, name: str, link: Path, after: _Places) -> None:
        """A link counts as the file that it leads to; a directory's files are met where they lie.

        Beyond the root, or where nothing is, nobody looks.
        """
        target = Path(os.path.realpath(link))
        wanted = target.is_dir() or self._matched(after)
        if wanted and not target.is_relative_to(self._root):
            self.found.unread[name] = "it is a link that leads out of the directory"
        elif wanted and not target.is_dir():
            self._add(name, target, target.is_file(), after)

    def _add(self, name: str, path: Path, is_file: bool, after: _Places) -> None:
        self.found.met.update(self._matched(after))
        if is_file:
            self.found.files[name] = path
        else:
            self.found.unread[name] = "it is no plain file"

    def _matched(self, after: _Places) -> list[int]:
        pairs = enumerate(zip(self._patterns, after, strict=True))
        return [number for number, (pattern, places) in pairs if pattern.is_end(places)]
