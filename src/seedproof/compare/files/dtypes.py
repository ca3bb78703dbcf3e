"""The types of tensors' elements: their sizes, and their bits as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_NUMPY = {
    **dict.fromkeys(("bool", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16", "float16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}
_FLOAT8 = ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0fnu")
_OTHERS = {
    **{f"float8_{kind}": 1 for kind in _FLOAT8},
    **dict.fromkeys(("quint8", "qint8"), 1),
    "bfloat16": 2,
    **dict.fromkeys(("complex32", "qint32"), 4),
}
_SIZES = {**_NUMPY, **_OTHERS}
_E4M3_NAN = 0x7F
_E4M3_SCALE = 256.0


class Numbers(NamedTuple):
    """Elements as numbers, and as floats of a type whose order their bits have, for counting units
    in the last place; `unused_bits` is the number of low bits that the true type does not have."""

    values: Array
    places: Array
    unused_bits: int = 0


def size_of(dtype: str) -> int | None:
    """The bytes of one element; None for a type that is not known."""
    return _SIZES.get(dtype)


def as_numbers(dtype: str, data: bytes) -> Numbers | None:
    """Little-endian elements as numbers; None for a type that has none, or is not known."""
    import numpy as np

    if dtype in _NUMPY:
        array = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return Numbers(native, native)
    if dtype == "bfloat16":
        wide = _bits(data, "<u2").astype(np.uint32) << 16
        return Numbers(wide.view(np.float32), wide.view(np.float32), 16)
    if dtype == "float8_e5m2":
        half = _bits(data, "u1").astype(np.uint16) << 8
        return Numbers(half.view(np.float16), half.view(np.float16), 8)
    return _e4m3(_bits(data, "u1")) if dtype == "float8_e4m3fn" else None


def _e4m3(bits: Array) -> Numbers:
    """As the float16 whose sign, exponent and mantissa have the same bits, 2⁻⁸ times as large."""
    import numpy as np

    magnitude = bits & 0x7F
    half = (bits & 0x80).astype(np.uint16) << 8 | magnitude.astype(np.uint16) << 7
    places = np.where(magnitude == _E4M3_NAN, np.float16(np.nan), half.view(np.float16))
    return Numbers(places.astype(np.float32) * np.float32(_E4M3_SCALE), places, 7)


def _bits(data: bytes, dtype: str) -> Array:
    import numpy as np

    return np.frombuffer(data, dtype)


def little_endian(dtype: str, data: bytes) -> bytes:
    """Big-endian elements, turned round."""
    import numpy as np

    size = _SIZES[dtype] // (2 if dtype.startswith("complex") else 1)
    return np.frombuffer(data, np.uint8).reshape(-1, size)[:, ::-1].tobytes()
