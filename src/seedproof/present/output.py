"""Standard output, which whoever reads it may close at any time."""

from __future__ import annotations

import os
import sys


def say(text: str) -> None:
    """Writes at once; a reader who has gone wants no more of it, and changes no exit status."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_closed()


def forget_closed() -> None:
    """What is still held back for a reader who has gone goes nowhere, without a word."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
