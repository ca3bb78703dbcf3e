"""How far apart two arrays are that should be equal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedproof.trace.format import PHASES
from seedproof.trace.reader import Stream

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

BFLOAT16 = "bfloat16"
BFLOAT16_UNUSED_BITS = 16  # of the float32 that holds one
_NUMBERS = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128", BFLOAT16),
)
_MOST_AXES = 32


@dataclass(frozen=True)
class Distance:
    """`max_abs_diff` in the array's own unit and `max_ulp`, in units in the last place of its
    type, at the first step at or after the divergence where both runs kept an array of that name,
    which was recorded in `phase`: where a gradient parts, the weights that it belongs to."""

    step: int
    phase: str
    max_abs_diff: float
    max_ulp: int | None


def distance_after(reference: Stream, other: Stream, name: str, step: int) -> Distance | None:
    """The distance of the array `name`, None where no values were kept from `step` on."""
    ours, theirs = _kept(reference, name, step), _kept(other, name, step)
    for place in sorted(ours.keys() & theirs.keys()):
        a, b = kept_array(reference, ours[place]), kept_array(other, theirs[place])
        if a is not None and b is not None and a.shape == b.shape:
            short = ours[place]["dtype"] == theirs[place]["dtype"] == BFLOAT16
            bits = BFLOAT16_UNUSED_BITS if short else 0
            phase = str(ours[place]["phase"])
            return Distance(place[0], phase, max_abs_diff(a, b), max_ulp(a, b, bits))
    return None


def _kept(stream: Stream, name: str, step: int) -> dict[tuple[int, int, int], dict[str, Any]]:
    """By step, phase, and how often there already: the events of what was kept under `name`."""
    found: dict[tuple[int, int, int], dict[str, Any]] = {}
    for event in stream.all("value"):
        if event["name"] == name and event["step"] >= step:
            place = event["step"], PHASES.index(event["phase"])
            found[(*place, sum(place == other[:2] for other in found))] = event
    return found


def kept_array(stream: Stream, event: dict[str, Any]) -> Array | None:
    """The array of a `value` event, bfloat16 as the same numbers in float32.

    None where the file was cut short, or where there are no plain numbers.
    """
    import numpy as np

    name, shape = event["dtype"], event["shape"]
    if name not in _NUMBERS or len(shape) > _MOST_AXES:
        return None
    dtype = np.dtype("uint16" if name == BFLOAT16 else name)
    size = dtype.itemsize * math.prod(shape)
    data = stream.value(event) if size == event["bytes"] else b""
    if not data or len(data) != size:
        return None
    array = np.frombuffer(data, dtype).reshape(shape)
    return (array.astype(np.uint32) << 16).view(np.float32) if name == BFLOAT16 else array


def max_abs_diff(a: Array, b: Array) -> float:
    """The largest difference; NaN where one has a NaN and the other has none."""
    import numpy as np

    apart = ~((a == b) | ((a != a) & (b != b)))
    if not apart.any():
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.max(np.abs(_wide(a[apart]) - _wide(b[apart]))))


def _wide(array: Array) -> Array:
    """In a type whose differences are exact, or as near as a float64 comes."""
    import numpy as np

    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        return array.astype(object)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def max_ulp(a: Array, b: Array, unused_bits: int = 0) -> int | None:
    """The largest distance in units in the last place.

    None for types that have none, and where one has a NaN and the other has none. Floats of a
    sign are ordered as their bits are, so the distance is one of integers (Dawson, "Comparing
    floating point numbers", 2012). -0.0 and 0.0 are one unit apart here. `unused_bits` is the
    number of low bits that a shorter type, held in this one, does not have.
    """
    import numpy as np

    if a.dtype.kind != "f" or a.dtype.itemsize not in (2, 4, 8) or a.dtype != b.dtype:
        return None
    known = ~(np.isnan(a) & np.isnan(b))
    if np.isnan(a[known]).any() or np.isnan(b[known]).any():
        return None
    ours, theirs = _places(a[known]) >> unused_bits, _places(b[known]) >> unused_bits
    return int(np.max(np.maximum(ours, theirs) - np.minimum(ours, theirs), initial=0))


def _places(array: Array) -> Array:
    """Each float's place among all floats of its type, from the most negative one up."""
    import numpy as np

    bits = array.view(f"u{array.dtype.itemsize}")
    sign = bits.dtype.type(1 << (8 * array.dtype.itemsize - 1))
    return np.where(bits & sign, ~bits, bits | sign)
