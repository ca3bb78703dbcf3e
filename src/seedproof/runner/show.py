"""Shows on the terminal what runs write to their logs, while they write it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from seedproof.runner.base import STDERR_FILE, STDOUT_FILE

_BLOCK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 1 << 20


class Show:
    """What a run writes to its standard output goes to `out`, the rest to `err`, bytes untouched.

    With a label, as where several runs are shown, each line begins with it; a line is then shown
    once it is whole, one that was never ended at the end. Whoever calls `look` now and then and
    `finish` once the run has ended has shown everything.
    """

    def __init__(
        self,
        directory: Path,
        label: str = "",
        out: BinaryIO | None = None,
        err: BinaryIO | None = None,
    ) -> None:
        prefix = f"[{label}] ".encode() if label else b""
        targets = (out or sys.stdout.buffer, err or sys.stderr.buffer)
        self._followers = [
            _Follower(directory / name, prefix, target)
            for name, target in zip((STDOUT_FILE, STDERR_FILE), targets, strict=True)
        ]

    def look(self) -> None:
        """Shows what has been written since."""
        for follower in self._followers:
            follower.look()

    def finish(self) -> None:
        """Shows the rest, and lets go of the logs."""
        for follower in self._followers:
            follower.finish()


class _Follower:
    def __init__(self, log: Path, prefix: bytes, target: BinaryIO) -> None:
        self._log = log
        self._prefix = prefix
        self._target = target
        self._file: int | None = None
        self._rest = b""
        self._open = True

    def look(self) -> None:
        for block in self._blocks():
            self._show(self._whole_lines(block) if self._prefix else block)

    def finish(self) -> None:
        self.look()
        self._show(self._unended())
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _blocks(self) -> Iterator[bytes]:
        if self._file is None and self._log.exists():
            self._file = os.open(self._log, os.O_RDONLY)
        while self._file is not None and (block := os.read(self._file, _BLOCK_BYTES)):
            yield block

    def _whole_lines(self, block: bytes) -> bytes:
        """With the label before each; a progress bar's line ends where it returns."""
        *lines, self._rest = _lines(self._rest + block)
        text = b"".join(self._prefix + line for line in lines)
        return text + self._unended() if len(self._rest) > _LONGEST_LINE_BYTES else text

    def _unended(self) -> bytes:
        rest, self._rest = self._rest, b""
        return self._prefix + rest + b"\n" if rest else b""

    def _show(self, text: bytes) -> None:
        if not (text and self._open):
            return
        try:
            self._target.write(text)
            self._target.flush()
        except BrokenPipeError:
            self._open = False  # nobody looks any more; the run goes on


def _lines(text: bytes) -> list[bytes]:
    """Lines with their ends; the last one may still go on, or be empty."""
    lines = text.splitlines(keepends=True)
    return lines if lines and not lines[-1].endswith(b"\n") else [*lines, b""]
