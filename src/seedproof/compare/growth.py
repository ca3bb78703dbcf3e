"""How the difference between two runs grows: every array that both kept, step by step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from seedproof.compare.distance import (
    BFLOAT16,
    BFLOAT16_UNUSED_BITS,
    kept_array,
    max_abs_diff,
    max_ulp,
)
from seedproof.trace.format import PHASES
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Stream

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_CHUNK = 1 << 20  # elements that are looked at together


@dataclass(frozen=True)
class Apart:
    """How far arrays are apart in two runs.

    `max_abs_diff` is in their own unit (NaN where one has a NaN and the other has none), `max_ulp`
    in units in the last place (None where there are none). `differing` of the `elements` have
    other bits.
    """

    max_abs_diff: float
    max_ulp: int | None
    differing: int
    elements: int

    @property
    def share(self) -> float:
        """The share of elements whose bits differ, from 0 to 1."""
        return self.differing / self.elements if self.elements else 0.0


class Growth(NamedTuple):
    """One array that both runs kept: where it stands, and how far apart it is."""

    step: int
    phase: str
    stream: str
    name: str
    apart: Apart


class _Kept(NamedTuple):
    """Where a kept array stands; `again` counts earlier ones of the same place."""

    step: int
    phase: int
    role: str
    name: str
    again: int


def growth(reference: Trace, other: Trace) -> Iterator[Growth]:
    """Every array that both kept at the same place with the same type and shape, in logical order.

    One array at a time is read, so memory does not grow with their number.
    """
    ours, theirs = _kept(reference), _kept(other)
    roles = {role: number for number, role in enumerate(reference.streams)}
    common = [place for place in ours if place in theirs]
    for place in sorted(common, key=lambda at: (at.step, at.phase, roles[at.role])):
        mine, yours = ours[place], theirs[place]
        if (mine["dtype"], mine["shape"]) != (yours["dtype"], yours["shape"]):
            continue
        a = kept_array(reference.streams[place.role], mine)
        b = kept_array(other.streams[place.role], yours)
        if a is not None and b is not None:
            unused = BFLOAT16_UNUSED_BITS if mine["dtype"] == BFLOAT16 else 0
            yield Growth(
                place.step, PHASES[place.phase], place.role, place.name, apart(a, b, unused)
            )


def by_step(grown: Iterable[Growth]) -> Iterator[tuple[int, Apart]]:
    """By step, all arrays of it together; `grown` is in the order of steps."""
    for step, arrays in groupby(grown, key=lambda one: one.step):
        yield step, together(one.apart for one in arrays)


def apart(a: Array, b: Array, unused_bits: int = 0) -> Apart:
    """Of two arrays of the same type and shape; see `max_ulp` for `unused_bits`."""
    a, b = a.reshape(-1), b.reshape(-1)
    starts = range(0, len(a), _CHUNK)
    parts = [_apart(a[at : at + _CHUNK], b[at : at + _CHUNK], unused_bits) for at in starts]
    without_units = any(part.max_ulp is None for part in parts)
    whole = together(parts)
    return replace(whole, max_ulp=None) if without_units else whole


def together(parts: Iterable[Apart]) -> Apart:
    """The largest distances, and the sums of the counts; arrays without units in the last place do
    not hide those of others."""
    found = list(parts)
    distances = [part.max_abs_diff for part in found]
    units = [part.max_ulp for part in found if part.max_ulp is not None]
    return Apart(
        math.nan if any(map(math.isnan, distances)) else max(distances, default=0.0),
        max(units, default=None),
        sum(part.differing for part in found),
        sum(part.elements for part in found),
    )


def _apart(a: Array, b: Array, unused_bits: int) -> Apart:
    differing = int((_bits(a) != _bits(b)).any(axis=1).sum())
    if not differing:
        return Apart(0.0, max_ulp(a[:0], b[:0], unused_bits), 0, len(a))
    return Apart(max_abs_diff(a, b), max_ulp(a, b, unused_bits), differing, len(a))


def _bits(array: Array) -> Array:
    """The bits of each element, in one or two unsigned words."""
    size = array.dtype.itemsize
    return array.view(f"u{min(size, 8)}").reshape(len(array), -1)


def _kept(trace: Trace) -> dict[_Kept, dict[str, Any]]:
    return {
        place: event for role, stream in trace.streams.items() for place, event in _of(role, stream)
    }


def _of(role: str, stream: Stream) -> Iterator[tuple[_Kept, dict[str, Any]]]:
    met: Counter[tuple[int, int, str]] = Counter()
    for event in stream.all("value"):
        place = event["step"], PHASES.index(event["phase"]), event["name"]
        yield _Kept(place[0], place[1], role, place[2], met[place]), event
        met[place] += 1
