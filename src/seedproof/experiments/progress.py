"""How far a download is, told on standard error: standard output belongs to the results."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Progress:
    """Says how many bytes have come: on a terminal in one line that grows, else at both ends.

    Each line starts with the text. Nothing is said before the first byte, nor a last line in a log
    when an error ends the download: whoever handles that says why.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = 0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def add(self, count: int) -> None:
        if not self._bytes and not self._terminal:
            say(self._text)
        self._bytes += count
        if self._terminal:
            say(f"\r{self._text}: {self._bytes:,} bytes", end="")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._terminal and self._bytes:
            say("")
        elif error is None:
            say(f"{self._text}: done, {self._bytes:,} bytes")


def say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()
