"""The `.safetensors` format: a header in JSON that says where each tensor lies, then the bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from seedproof.compare.files import dtypes
from seedproof.compare.files.content import UnreadableError, blocks, exactly, size_of
from seedproof.compare.files.tensor import Tensor, naturals

_LENGTH_BYTES = 8
_LONGEST_HEADER = 16 << 20
_METADATA = "__metadata__"
_DTYPES = {
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "C64": "complex64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}


def begins_so(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes that begins with `head` can be of this format."""
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    return head[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and _LENGTH_BYTES + length <= size


def tensors_of_safetensors(file: BinaryIO) -> list[Tensor]:
    """The tensors, in the order of the header."""
    file.seek(0)
    length = int.from_bytes(exactly(file, _LENGTH_BYTES), "little")
    if length > _LONGEST_HEADER:
        raise UnreadableError("its header is too long")
    header = json.loads(exactly(file, length), object_pairs_hook=_without_twins)
    if not isinstance(header, dict):
        raise UnreadableError("its header names no tensors")
    start = _LENGTH_BYTES + length
    room = size_of(file) - start
    entries = {name: _Entry(fields, room) for name, fields in header.items() if name != _METADATA}
    _refuse_overlaps(list(entries.values()))
    return [entry.tensor(name, file, start) for name, entry in entries.items()]


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("its header names something twice")
    return found


class _Entry:
    """What the header says of one tensor; `room` is the number of bytes after the header."""

    def __init__(self, fields: Any, room: int) -> None:
        if not isinstance(fields, dict):
            raise UnreadableError("its header is damaged")
        dtype, offsets = _DTYPES.get(str(fields.get("dtype"))), fields.get("data_offsets")
        if dtype is None:
            raise UnreadableError("it has a tensor of a type that is not known")
        self.dtype, self.shape = dtype, naturals(fields.get("shape"))
        self.itemsize = dtypes.size_of(dtype) or 1
        self.begin, self.end = naturals(offsets)
        if self.end - self.begin != self.itemsize * math.prod(self.shape) or self.end > room:
            raise UnreadableError("a tensor's place does not fit its shape, or it is cut short")

    def tensor(self, name: str, file: BinaryIO, start: int) -> Tensor:
        """The tensor, whose file has its bytes from `start` on."""

        def read(block: int) -> Iterator[bytes]:
            return blocks(file, start + self.begin, self.end - self.begin, block)

        return Tensor(name, self.dtype, self.shape, self.itemsize, read)


def _refuse_overlaps(entries: list[_Entry]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin < end:
            raise UnreadableError("its tensors overlap")
        end = entry.end
