"""The patterns that name files: which are allowed, and what they match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

_ALLOWED = (
    "a pattern of files below the working directory, relative to it, such as 'out/**', '*.npz' or "
    "'checkpoints/epoch?.pt'"
)
_ANY_DEPTH = "**"


@dataclass(frozen=True)
class Pattern:
    """A pattern, segment by segment.

    Its places are the segments that the next name on a path may meet; the place after the last
    one is the end. `**` stands for any number of directories. Names that begin with a dot are
    met only by segments that do.
    """

    text: str
    segments: tuple[str, ...]

    def start(self) -> frozenset[int]:
        """The places at the top of the directory."""
        return self._with_skipped({0})

    def after(self, places: frozenset[int], name: str) -> frozenset[int]:
        """The places behind a file or directory called `name`; none where it does not match."""
        stay = {at for at in places if self._any_depth(at) and not name.startswith(".")}
        go_on = {at + 1 for at in places if self._meets(at, name)}
        return self._with_skipped(stay | go_on)

    def is_end(self, places: frozenset[int]) -> bool:
        """Whether the path so far matches."""
        return len(self.segments) in places

    def _any_depth(self, at: int) -> bool:
        return at < len(self.segments) and self.segments[at] == _ANY_DEPTH

    def _meets(self, at: int, name: str) -> bool:
        if at == len(self.segments) or self._any_depth(at):
            return False
        segment = self.segments[at]
        hidden = name.startswith(".") and not segment.startswith(".")
        return not hidden and fnmatchcase(name, segment)

    def _with_skipped(self, places: set[int]) -> frozenset[int]:
        for at in sorted(places):
            while self._any_depth(at):
                at += 1
                places.add(at)
        return frozenset(places)


def parse(globs: Sequence[str]) -> tuple[Pattern, ...]:
    """The patterns; a ValueError says what is allowed."""
    return tuple(_parse(text) for text in globs)


def _parse(text: str) -> Pattern:
    segments = [segment for segment in text.split("/") if segment not in ("", ".")]
    is_absolute = text.startswith(("/", "~", "\\")) or re.match("[A-Za-z]:", text)
    if not segments or "\0" in text or is_absolute or ".." in segments:
        raise ValueError(_ALLOWED)
    if text.endswith("/"):
        segments.append(_ANY_DEPTH)
    if segments[-1] == _ANY_DEPTH:
        segments.append("*")
    return Pattern(text, tuple(segments))
