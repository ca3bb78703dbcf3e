"""What two runs wrote, compared byte for byte: files, or what went to standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from seedproof.compare.files.content import first_difference, open_plain, size_of
from seedproof.compare.files.directory import Matches, matches
from seedproof.compare.files.formats import look_inside
from seedproof.compare.files.globs import parse
from seedproof.compare.files.outcome import FileDifference, FilesOutcome, Unread
from seedproof.compare.files.text import with_line

_STDOUT = "standard output"


def compare_files(reference: Path, other: Path, globs: Sequence[str]) -> FilesOutcome:
    """The files that `globs` name in the directories of two runs.

    A pattern is relative to the directories; `**` stands for any number of directories, case
    counts, and names that begin with a dot must be named so. Raises ValueError for one that is
    absolute or leads out.
    """
    patterns = parse(globs)
    ours, theirs = matches(reference, patterns), matches(other, patterns)
    comparison = _Comparison(ours, theirs)
    for path in sorted(ours.files.keys() | theirs.files.keys()):
        if not comparison.is_unread(path):
            comparison.take(path)
    met = ours.met | theirs.met
    unmatched = [pattern.text for at, pattern in enumerate(patterns) if at not in met]
    return comparison.outcome(unmatched)


def compare_stdout(reference: Path, other: Path) -> tuple[FileDifference | None, int]:
    """What differs in what two runs wrote to standard output, from their logs (None where it is the
    same), and how many bytes agree until then.

    Raises OSError where a log cannot be read.
    """
    with open_plain(reference) as ours, open_plain(other) as theirs:
        found, agreeing = _compare(_STDOUT, ours, theirs)
        return found and with_line(found, ours, theirs), agreeing


class _Comparison:
    """Takes in path by path, in their order."""

    def __init__(self, ours: Matches, theirs: Matches) -> None:
        self._ours = ours.files
        self._theirs = theirs.files
        self._files = 0
        self._bytes = 0
        self._differences: list[FileDifference] = []
        self.unread = {**theirs.unread, **ours.unread}

    def is_unread(self, path: str) -> bool:
        """Whether a file, or what it lies in, could not be looked at in one of the runs."""
        lies_in = (str(parent) for parent in PurePosixPath(path).parents)
        return path in self.unread or any(parent in self.unread for parent in lies_in)

    def take(self, path: str) -> None:
        """Compares one file, as far as both runs have it."""
        if path not in self._theirs:
            self._differences.append(FileDifference(path, "missing"))
        elif path not in self._ours:
            self._differences.append(FileDifference(path, "extra"))
        else:
            try:
                self._take_both(path)
            except OSError as error:
                self.unread[path] = f"it cannot be read ({error.strerror or error})"

    def _take_both(self, path: str) -> None:
        with open_plain(self._ours[path]) as ours, open_plain(self._theirs[path]) as theirs:
            found, common = _compare(path, ours, theirs)
            self._files += 1
            self._bytes += common
            if found is not None:
                self._differences.append(look_inside(found, ours, theirs))

    def outcome(self, unmatched: Sequence[str]) -> FilesOutcome:
        """All that came out."""
        unread = tuple(Unread(path, reason) for path, reason in sorted(self.unread.items()))
        return FilesOutcome(
            self._files, self._bytes, tuple(self._differences), unread, tuple(unmatched)
        )


def _compare(path: str, ours: BinaryIO, theirs: BinaryIO) -> tuple[FileDifference | None, int]:
    """The difference of two open files, None where there is none, and how many bytes agree."""
    sizes = size_of(ours), size_of(theirs)
    for file in (ours, theirs):
        file.seek(0)
    offset = first_difference(ours, theirs)
    if offset is None:
        return None, sizes[0]
    kind = "bits" if sizes[0] == sizes[1] else "size"
    return FileDifference(path, kind, sizes, offset), offset
