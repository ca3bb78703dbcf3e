"""The IDX format, in which MNIST is published: a short header, then bare bytes."""

from __future__ import annotations

import gzip
import math
import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    _Bytes = BinaryIO | gzip.GzipFile

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 8  # the header's name for the type of the items


def read_idx(path: Path, item_shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Read a file of unsigned bytes, gzipped or not, whatever its name.

    Args:
        path: the file.
        item_shape: the shape that each item must have, () for single numbers.

    Returns:
        (n, *item_shape), with as many items as the file announces.

    Raises:
        ValueError: it is no such file, is truncated or goes on after its last item.
        Exception: what opening and unzipping raise, such as OSError, EOFError and zlib.error.
    """
    with path.open("rb") as file:
        if file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _parse_idx(unzipped, item_shape)
        return _parse_idx(file, item_shape)


def _parse_idx(stream: _Bytes, item_shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    dimensions = 1 + len(item_shape)
    magic, expected = _read(stream, 4), bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if magic != expected:
        raise ValueError(f"it starts with the bytes {magic.hex()}, not {expected.hex()}")
    shape = struct.unpack(f">{dimensions}I", _read(stream, 4 * dimensions))
    if shape[1:] != item_shape:
        raise ValueError(f"its images are {'x'.join(map(str, shape[1:]))}")
    items = np.frombuffer(_read(stream, math.prod(shape)), np.uint8).reshape(shape)
    if stream.read(1):
        raise ValueError(f"more bytes follow the {len(items):,} items that it announces")
    return items


def _read(stream: _Bytes, count: int) -> bytearray:
    """Exactly so many bytes, in pieces: a false header must not reserve what is not there."""
    data = bytearray()
    while len(data) < count:
        piece = stream.read(min(CHUNK, count - len(data)))
        if not piece:
            raise ValueError(f"it is truncated, {count - len(data):,} bytes are missing")
        data += piece
    return data
