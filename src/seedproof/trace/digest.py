"""The digest of an array: 64 bits from its raw bits, its dtype and its shape.

`ml64/1` is a multilinear hash in 64-bit integer arithmetic (Lemire and Kaser, "Strongly universal
string hashing is fast", 2014; the family goes back to Carter and Wegman): the array's bits are
taken as signed 32-bit words (elements of one or two bytes count as one word each), each word is
multiplied by the random 64-bit key of its *position*, and the products are summed modulo 2**64.
Two arrays that differ collide with probability at most 2**-32, whatever the difference is, because
the keys are not known to it: swapped elements, flipped signs and -0.0 are all seen. It is an
integer dot product, so every framework computes it where the tensors live, in any order.

More than `BLOCK` words are folded: each block of `BLOCK` words gives one 64-bit word, and these
are digested in the same way. Each fold adds at most 2**-32.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Any, Sequence

from seedproof.trace.keys import splitmix64
from seedproof.trace.sums import fold

DIGEST_ID = "ml64/1"

_MASK = (1 << 64) - 1
_HEADER_STREAM = 1 << 40


def header(dtype: str, shape: Sequence[int]) -> int:
    """The part of the digest that comes from dtype and shape, unsigned."""
    words = [int.from_bytes(blake2b(dtype.encode(), digest_size=4).digest(), "little")]
    words += [len(shape), *shape]
    return sum(word * splitmix64(_HEADER_STREAM + at) for at, word in enumerate(words)) & _MASK


def shape_key(axis: int) -> int:
    """The factor with which the length of `axis` enters `header`, unsigned."""
    return splitmix64(_HEADER_STREAM + 2 + axis)


def digest_array(array: Any, dtype: str | None = None) -> int:
    """The digest of a NumPy array of any shape, unsigned.

    `dtype` is the name of the type where NumPy has none for it. Byte order is part of a dtype,
    memory layout is not. Raises TypeError for an array of Python objects: their bits are addresses.
    """
    import numpy as np

    if array.dtype.hasobject:
        raise TypeError("an array of Python objects has no bits to compare")
    body = fold(_words(np.ascontiguousarray(array)))
    return body + header(dtype or str(array.dtype), array.shape) & _MASK


def _words(array: Any) -> Any:
    import numpy as np

    size = array.dtype.itemsize
    if size == 0:
        return np.zeros(0, "<i4")
    raw = array.reshape(-1).view(np.uint8)
    padding = _padding(array.dtype)
    if padding:
        raw = raw.reshape(-1, size).copy()
        raw[:, padding] = 0
        raw = raw.reshape(-1)
    if size in (1, 2):
        return raw.view(f"<i{size}")
    if size % 4:
        raw = np.concatenate([raw, np.zeros(-len(raw) % 4, np.uint8)])
    return raw.view("<i4")


def _padding(dtype: Any) -> list[int]:
    """The bytes of an element that are no part of its value: they hold what memory held before."""
    import numpy as np

    if dtype.fields is None and dtype.type not in (np.longdouble, np.clongdouble):
        return []
    return [at for at, used in enumerate(_used_bytes(dtype)) if not used]


def _used_bytes(dtype: Any) -> list[bool]:
    import numpy as np

    if dtype.subdtype is not None:
        return _used_bytes(dtype.base) * int(dtype.itemsize // max(1, dtype.base.itemsize))
    if dtype.fields is not None:
        used = [False] * dtype.itemsize
        for field, offset, *_ in dtype.fields.values():
            for at, holds_value in enumerate(_used_bytes(field), offset):
                used[at] |= holds_value
        return used
    if dtype.type in (np.longdouble, np.clongdouble) and np.finfo(dtype).nmant == 63:
        parts = 2 if dtype.kind == "c" else 1  # ten bytes of x87 in 12 or 16
        used = ([True] * 10 + [False] * (dtype.itemsize // parts - 10)) * parts
        return used if dtype.isnative else used[::-1]
    return [True] * int(dtype.itemsize)


def digest_bytes(data: bytes, kind: str) -> int:
    """The digest of what is no array (text, bytes, a Python number): BLAKE2b, unsigned."""
    raw = blake2b(data, digest_size=8, person=kind.encode()[:16]).digest()
    return int(struct.unpack("<Q", raw)[0])
