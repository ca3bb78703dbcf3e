"""The bytes of files, read in blocks; nothing here holds more than a few of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

BLOCK_BYTES = 1 << 20

# A file in which much refers to the same bytes, or unpacks to much, is read up to these bounds.
_ALWAYS_WORTH_READING = 1 << 30
_LARGEST_GROWTH = 64

# A pipe must not block the reader, and a link must not lead it anywhere.
_PLAIN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class UnreadableError(ValueError):
    """A file whose inside cannot be read; its text completes "… was not compared: "."""


class MissingReaderError(UnreadableError):
    """A format that cannot be read where this runs, whatever the file."""


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""


def open_plain(path: Path) -> BinaryIO:
    """A plain file, to be closed by the caller; OSError for anything else."""
    descriptor = os.open(path, _PLAIN)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is no plain file")
    return os.fdopen(descriptor, "rb")


def size_of(file: BinaryIO) -> int:
    """The length of an open file, in bytes."""
    return file.seek(0, os.SEEK_END)


def first_difference(ours: Readable, theirs: Readable) -> int | None:
    """The offset of the first byte that differs, from where both stand.

    The common length where one is the beginning of the other; None where both are equal.
    """
    done = 0
    while True:
        a, b = ours.read(BLOCK_BYTES), theirs.read(BLOCK_BYTES)
        if a != b:
            return done + _common(a, b)
        if not a:
            return None
        done += len(a)


def _common(a: bytes, b: bytes) -> int:
    """How many bytes two blocks have in common at their beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def blocks(file: BinaryIO, start: int, length: int, block: int) -> Iterator[bytes]:
    """The `length` bytes from `start` on, `block` bytes at a time; others may move the file."""
    for at in range(start, start + length, block):
        file.seek(at)
        yield exactly(file, min(block, start + length - at))


def exactly(file: Readable, size: int) -> bytes:
    """The next `size` bytes; UnreadableError where there are fewer."""
    data = file.read(size)
    if len(data) != size:
        raise UnreadableError("it is cut short")
    return data


def work_limit(size: int) -> int:
    """How many bytes may be read out of a file of `size` bytes before it is given up."""
    return max(_ALWAYS_WORTH_READING, _LARGEST_GROWTH * size)
