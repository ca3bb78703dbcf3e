"""Two directories, as two runs leave them, for the tests of what is compared between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seedproof.compare.files.comparison import compare_files
from seedproof.compare.files.outcome import FileDifference, FilesOutcome

Content = bytes | str | Callable[[Path], object] | None


class TwoRuns:
    """The directories of the reference and of the other run."""

    def __init__(self, directory: Path) -> None:
        self.reference = directory / "reference"
        self.other = directory / "other"
        self.reference.mkdir()
        self.other.mkdir()

    def write(self, path: str, ours: Content, theirs: Content) -> TwoRuns:
        """One file of both: its content, or what writes it to a path; None where there is none."""
        for directory, content in ((self.reference, ours), (self.other, theirs)):
            _write(directory / path, content)
        return self

    def both(self, *paths: str) -> TwoRuns:
        """Files that are the same in both."""
        for path in paths:
            self.write(path, path, path)
        return self

    def compare(self, *globs: str) -> FilesOutcome:
        """The outcome for some patterns, by default for every file."""
        return compare_files(self.reference, self.other, globs or ("**",))

    def paths(self, *globs: str) -> list[str]:
        """The files of the reference that patterns name: all that an empty second run lacks."""
        nothing = self.reference.parent / "nothing"
        found = compare_files(self.reference, nothing, globs).differences
        return [difference.path for difference in found]


def difference(directory: Path, name: str, ours: Content, theirs: Content) -> FileDifference:
    """How the one file differs that two runs wrote."""
    outcome = TwoRuns(directory).write(name, ours, theirs).compare()
    assert outcome.files == 1
    assert not outcome.unread
    (found,) = outcome.differences
    return found


def _write(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        content(path)
