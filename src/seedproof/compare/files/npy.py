"""NumPy's files: one array (`.npy`), or an archive of them (`.npz`). Nothing pickled is read."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from seedproof.compare.files import dtypes
from seedproof.compare.files.archive import Archive
from seedproof.compare.files.content import UnreadableError, blocks, exactly, size_of
from seedproof.compare.files.tensor import Tensor, naturals

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"\x93NUMPY"
SUFFIX = ".npy"


def tensors_of_npy(file: BinaryIO) -> list[Tensor]:
    """The array of a `.npy` file, without a name."""
    file.seek(0)
    header = _Header(file)
    start = file.tell()

    def read(block: int) -> Iterator[bytes]:
        return blocks(file, start, header.bytes, block)

    return [header.tensor("", size_of(file) - start, read)]


def tensors_of_npz(archive: Archive) -> list[Tensor]:
    """The arrays of a `.npz` file, by their names."""
    names = [name for name in archive.members if name.endswith(SUFFIX)]
    return [_member(archive, name) for name in names]


def _member(archive: Archive, name: str) -> Tensor:
    with archive.open(name) as file:
        header = _Header(file)
        start = file.tell()

    def read(block: int) -> Iterator[bytes]:
        with archive.open(name) as file:
            exactly(file, start)
            for at in range(0, header.bytes, block):
                yield exactly(file, min(block, header.bytes - at))

    there = archive.members[name].file_size - start
    return header.tensor(name.removesuffix(SUFFIX), there, read)


class _Header:
    """What a `.npy` file says of its array."""

    def __init__(self, file: IO[bytes]) -> None:
        shape, self._in_fortran_order, self._dtype = _read_header(file)
        self._shape = naturals(shape)
        if self._dtype.hasobject:
            raise UnreadableError("it holds Python objects, which are not read")
        self.bytes = self._dtype.itemsize * math.prod(self._shape)

    def tensor(self, name: str, there: int, read: Callable[[int], Iterator[bytes]]) -> Tensor:
        """The array, of which `there` bytes are in the file."""
        if there < self.bytes:
            raise UnreadableError("it is cut short")
        little = self._dtype.newbyteorder("<")
        dtype = self._dtype.name if dtypes.size_of(self._dtype.name) else str(little)
        swapped = read if little == self._dtype else _swapped(read, self._dtype)
        axes = tuple(axis for axis, length in enumerate(self._shape) if length > 1)
        stored = axes[::-1] if self._in_fortran_order and len(axes) > 1 else None
        return Tensor(name, dtype, self._shape, self._dtype.itemsize, swapped, stored)


def _swapped(
    read: Callable[[int], Iterator[bytes]], dtype: np.dtype[Any]
) -> Callable[[int], Iterator[bytes]]:
    """Blocks of big-endian elements, little-endian."""

    def read_swapped(block: int) -> Iterator[bytes]:
        import numpy as np

        return (np.frombuffer(data, dtype).byteswap().tobytes() for data in read(block))

    return read_swapped


def _read_header(file: IO[bytes]) -> tuple[object, bool, np.dtype[Any]]:
    """The shape, whether it is in Fortran's order, and the type."""
    from numpy.lib import format as npy

    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    read = readers.get(npy.read_magic(file))
    if read is None:
        raise UnreadableError("it is of a version of NumPy's format that is not read")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header of Python 2 is as good
        shape, in_fortran_order, dtype = read(file)
    return shape, bool(in_fortran_order), dtype
