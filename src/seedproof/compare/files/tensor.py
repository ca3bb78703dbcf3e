"""What the formats share: tensors that can be read in blocks, and the first that differs."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seedproof.compare.files.apart import Apart
from seedproof.compare.files.content import BLOCK_BYTES, UnreadableError
from seedproof.compare.files.outcome import TensorDifference

_LARGEST_REORDERED = 256 << 20
_MOST_AXES = 64


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in a file.

    `read(n)` yields its elements' bits, little-endian, `n` bytes at a time: in the order in which
    they are stored. `axes` are the axes longer than one in that order, the slowest first; in
    order (C) where it is None. `itemsize` is in bytes. `is_tensor` is False for a plain value.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    itemsize: int
    read: Callable[[int], Iterator[bytes]]
    axes: tuple[int, ...] | None = None
    is_tensor: bool = True

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.itemsize * math.prod(self.shape)


class Compared(NamedTuple):
    """The first difference, None where there is none, and how many tensors were compared."""

    difference: TensorDifference | None
    tensors: int


def value(name: str, content: object) -> Tensor:
    """A plain value beside the tensors: a number of 64 bits, or any other by its text."""
    dtype, data = _encoded(content)
    return Tensor(name, dtype, (), len(data), lambda _: iter((data,)), is_tensor=False)


def _encoded(content: object) -> tuple[str, bytes]:
    """A value's type and its bytes."""
    if isinstance(content, bool):
        return "bool", struct.pack("<?", content)
    if isinstance(content, float):
        return "float64", struct.pack("<d", content)
    if isinstance(content, int) and -(1 << 63) <= content < 1 << 63:
        return "int64", struct.pack("<q", content)
    if isinstance(content, bytes | bytearray):
        return "bytes", bytes(content)
    text = hex(content) if isinstance(content, int) else str(content)
    return type(content).__name__, text.encode("utf-8", "replace")


def naturals(numbers: object) -> tuple[int, ...]:
    """A shape, strides or offsets that a file claims; UnreadableError where they cannot be."""
    if isinstance(numbers, list | tuple) and len(numbers) <= _MOST_AXES:
        found = tuple(n for n in numbers if type(n) is int and 0 <= n < 1 << 63)
        if len(found) == len(numbers):
            return found
    raise UnreadableError("it claims an impossible shape")


def first_difference(ours: Sequence[Tensor], theirs: Sequence[Tensor], limit: int) -> Compared:
    """The first tensor of `ours`, in their order, that is not the same in `theirs`.

    Then what only `theirs` has, and only then the plain values beside the tensors. Raises
    UnreadableError where more than `limit` bytes of each side would be compared.
    """
    if sum(tensor.bytes for tensor in ours) > limit:
        raise UnreadableError("its tensors are larger by far than the file")
    compared = 0
    for tensors in (True, False):
        some, others = ([t for t in all_ if t.is_tensor is tensors] for all_ in (ours, theirs))
        for difference in _differences(some, others):
            compared += tensors
            if difference is not None:
                return Compared(difference, compared)
    return Compared(None, compared)


def _differences(
    ours: Sequence[Tensor], theirs: Sequence[Tensor]
) -> Iterator[TensorDifference | None]:
    """Each of `ours` against that of its name, then what only `theirs` has."""
    twins = {tensor.name: tensor for tensor in theirs}
    if len(twins) != len(theirs) or len({tensor.name for tensor in ours}) != len(ours):
        raise UnreadableError("it names two tensors alike")
    for tensor in ours:
        twin = twins.pop(tensor.name, None)
        yield _only(tensor, "missing") if twin is None else _difference(tensor, twin)
    yield from (_only(tensor, "extra") for tensor in twins.values())


def _only(tensor: Tensor, kind: str) -> TensorDifference:
    """A tensor that the reference (`missing`) or the other (`extra`) alone has."""
    is_here = (kind == "missing", kind == "extra")
    ours, theirs = (tensor.dtype if here else None for here in is_here)
    shape, other = (tensor.shape if here else None for here in is_here)
    return TensorDifference(
        tensor.name, kind, (ours, theirs), (shape, other), is_tensor=tensor.is_tensor
    )


def _difference(ours: Tensor, theirs: Tensor) -> TensorDifference | None:
    names, shapes = (ours.dtype, theirs.dtype), (ours.shape, theirs.shape)
    if names[0] != names[1] or shapes[0] != shapes[1]:
        return TensorDifference(ours.name, "shape", names, shapes, is_tensor=ours.is_tensor)
    apart = Apart(ours.dtype, ours.itemsize)
    for a, b in _pairs(ours, theirs):
        if a != b:
            apart.add(a, b)
    if not apart.any:
        return None
    share = apart.elements / math.prod(ours.shape) if ours.is_tensor else None
    return TensorDifference(
        ours.name, "bits", names, shapes, apart.abs_diff, apart.ulp, share, ours.is_tensor
    )


def _pairs(ours: Tensor, theirs: Tensor) -> Iterator[tuple[bytes, bytes]]:
    """Blocks of whole elements that belong together."""
    block = max(1, BLOCK_BYTES // max(1, ours.itemsize)) * max(1, ours.itemsize)
    if ours.axes == theirs.axes or not ours.bytes:
        return zip(ours.read(block), theirs.read(block), strict=True)
    return zip((_in_order(ours, block),), (_in_order(theirs, block),), strict=True)


def _in_order(tensor: Tensor, block: int) -> bytes:
    """All of a tensor with its axes in order (C), however it is stored."""
    import numpy as np

    if tensor.bytes > _LARGEST_REORDERED:
        raise UnreadableError("a large tensor is stored in another order of its axes")
    data = b"".join(tensor.read(block))
    if tensor.axes is None:
        return data
    stored = np.frombuffer(data, f"V{tensor.itemsize}")
    stored = stored.reshape([tensor.shape[axis] for axis in tensor.axes])
    return stored.transpose(np.argsort(tensor.axes)).tobytes()
