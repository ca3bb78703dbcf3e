"""What comes through a pipe, kept on disk so that several readers get all of it."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path

_NAME = "stdin"
_UNFINISHED = "stdin.part"
_BLOCK_BYTES = 1 << 16


class Spool:
    """A file that grows as far as its fastest reader asks for, so that `yes | …` fills no disk."""

    def __init__(self, path: Path, source: int | None) -> None:
        """`source` is the descriptor that it is filled from; None for a file that is whole."""
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        self._size = os.fstat(self._file).st_size
        self._wanted = 0
        self._ended = source is None
        self._changed = threading.Condition()
        if source is not None:
            threading.Thread(target=self._fill, args=(source,), daemon=True).start()

    @classmethod
    def filled_from(cls, source: int, directory: Path) -> Spool:
        """A new one in `directory`."""
        unfinished = directory / _UNFINISHED
        unfinished.unlink(missing_ok=True)
        return cls(unfinished, source)

    @classmethod
    def kept(cls, directory: Path) -> Spool | None:
        """The whole of what came before, None where the end had not come."""
        path = directory / _NAME
        return cls(path, None) if path.exists() else None

    @staticmethod
    def began(directory: Path) -> bool:
        """Whether something came of which the end is missing."""
        unfinished = directory / _UNFINISHED
        return unfinished.exists() and unfinished.stat().st_size > 0

    def feed(self, writing: int) -> None:
        """Writes everything to a pipe, as far and as long as somebody reads it, and closes it."""
        at = 0
        try:
            while block := self._block(at):
                at += os.write(writing, block)
        except BrokenPipeError:
            pass  # nobody reads any more
        finally:
            os.close(writing)

    def _block(self, at: int) -> bytes:
        with self._changed:
            self._wanted = max(self._wanted, at + 1)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or self._size > at)
        return os.pread(self._file, _BLOCK_BYTES, at)

    def _fill(self, source: int) -> None:
        # A disk that is full ends the input for the runs too; the check then finds it full.
        with contextlib.suppress(OSError):
            while block := self._next(source):
                self._append(block)
            self._path.rename(self._path.with_name(_NAME))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _next(self, source: int) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted > self._size)
        return os.read(source, _BLOCK_BYTES)

    def _append(self, block: bytes) -> None:
        if os.pwrite(self._file, block, self._size) < len(block):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with self._changed:
            self._size += len(block)
            self._changed.notify_all()
