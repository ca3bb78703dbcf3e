"""How far apart two arrays are that should be equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedproof.trace.reader import Stream

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Distance:
    """`max_abs_diff` in the array's own unit and `max_ulp`, in units in the last place of its
    type, at the first step at or after the divergence where both runs kept the array."""

    step: int
    max_abs_diff: float
    max_ulp: int | None


def distance_after(reference: Stream, other: Stream, name: str, step: int) -> Distance | None:
    """The distance of the array `name`, None where no values were kept from `step` on."""
    theirs = {_key(event): event for event in other.all("value")}
    for event in reference.all("value"):
        twin = theirs.get(_key(event))
        if event["name"] == name and event["step"] >= step and twin is not None:
            a, b = kept_array(reference, event), kept_array(other, twin)
            if a is not None and b is not None and a.shape == b.shape:
                return Distance(event["step"], _max_abs_diff(a, b), max_ulp(a, b))
    return None


def _key(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["name"], event["phase"], event["step"]


def kept_array(stream: Stream, event: dict[str, Any]) -> Array | None:
    """The array of a `value` event, None where the file was cut short."""
    import numpy as np

    data = stream.value(event)
    if len(data) != event["bytes"]:
        return None
    return np.frombuffer(data, np.dtype(event["dtype"])).reshape(event["shape"])


def _max_abs_diff(a: Array, b: Array) -> float:
    import numpy as np

    if not a.size:
        return 0.0
    return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))


def max_ulp(a: Array, b: Array) -> int | None:
    """The largest distance in units in the last place, None for types that have none.

    Floats of a sign are ordered as their bits are, so the distance is one of integers (Dawson,
    "Comparing floating point numbers", 2012). -0.0 and 0.0 are one unit apart here.
    """
    import numpy as np

    if a.dtype.kind != "f" or a.dtype.itemsize not in (2, 4, 8) or a.dtype != b.dtype:
        return None
    if not a.size:
        return 0
    apart = np.abs(_places(a) - _places(b))
    return int(np.max(apart))


def _places(array: Array) -> Array:
    """Each float's place among all floats of its type; negative ones count down from minus one."""
    import numpy as np

    bits = array.view(f"i{array.dtype.itemsize}").astype(np.int64)
    magnitude = bits & ((1 << (8 * array.dtype.itemsize - 1)) - 1)
    places = np.where(bits < 0, -1 - magnitude, magnitude)
    return places.astype(object) if array.dtype.itemsize == 8 else places
