"""A sentence for people about a file that two runs wrote differently."""

from __future__ import annotations

import math

from seedproof.compare.files.outcome import (
    FileDifference,
    LineDifference,
    MemberDifference,
    TensorDifference,
)
from seedproof.present.words import shown

_LONGEST_LINE = 160


def difference_as_text(found: FileDifference, run: int) -> str:
    """Which file, what differs in it as closely as that is known, and from which byte on; `run` is
    the other one of the two."""
    if found.kind == "missing":
        return f"{shown(found.path)}: run {run} did not write it"
    if found.kind == "extra":
        return f"{shown(found.path)}: only run {run} wrote it"
    return f"{shown(found.path)}: {'; '.join([*_inside(found, run), _bytes(found)])}"


def _inside(found: FileDifference, run: int) -> list[str]:
    said = []
    if found.all_tensors_equal:
        said.append(_all_equal(found.tensors or 0))
    if found.tensor is not None:
        said.append(_tensor(found.tensor, run))
    if found.member is not None:
        said.append(_member(found.member, run))
    if found.line is not None:
        said.append(_line(found.line))
    return [*said, shown(found.note, 300)] if found.note else said


def _all_equal(tensors: int) -> str:
    return "the tensor in it is equal" if tensors == 1 else f"all {tensors} tensors in it are equal"


def _bytes(found: FileDifference) -> str:
    if found.kind == "bits" or found.sizes is None:
        return f"the first differing byte is {found.offset}"
    ours, theirs = found.sizes
    if found.offset in found.sizes:
        return f"{ours} bytes against {theirs}, equal as far as the shorter goes"
    return f"{ours} bytes against {theirs}, the first differing byte is {found.offset}"


def _tensor(found: TensorDifference, run: int) -> str:
    what = "tensor" if found.is_tensor else "value"
    named = f"{what} {shown(found.name)}" if found.name else f"its {what}"
    ours, theirs = (_type(found, which) for which in (0, 1))
    if found.kind == "shape":
        return f"{named} is {ours} against {theirs}"
    if found.kind in ("missing", "extra"):
        return f"{named}: {_only_one(found.kind, run)}"
    return f"{named} ({ours}) differs{_how_far(found)}"


def _type(found: TensorDifference, which: int) -> str:
    """The type, and what shape there is, as `float32 (3, 2)`."""
    shape = found.shapes[which]
    return shown(f"{found.dtypes[which]} {shape}" if shape else str(found.dtypes[which]))


def _how_far(found: TensorDifference) -> str:
    share = "" if found.share is None else f" in {100 * found.share:.3g}% of its elements"
    apart, units = found.max_abs_diff, found.max_ulp
    if apart is None:
        return share
    if math.isnan(apart):
        return f"{share}, one has NaN where the other has a number"
    if apart == 0:
        return f"{share}, in its bits but not in its numbers"
    in_units = "" if units is None else f", {units} unit{'s' * (units != 1)} in the last place"
    return f"{share}, by up to {apart:.3g}{in_units}"


def _member(found: MemberDifference, run: int) -> str:
    named = f"member {shown(found.name)}"
    if found.kind == "bits":
        return f"{named} differs from its byte {found.offset} on"
    return f"{named}: {_only_one(found.kind, run)}"


def _only_one(kind: str, run: int) -> str:
    return f"run {run} lacks it" if kind == "missing" else f"only run {run} has it"


def _line(found: LineDifference) -> str:
    ours, theirs = _quoted(found.reference), _quoted(found.other)
    if ours == theirs:
        return f"line {found.number} ends otherwise: {ours}"
    return f"line {found.number} is {ours} against {theirs}"


def _quoted(line: str | None) -> str:
    return "nothing" if line is None else "'" + shown(line.rstrip("\r\n"), _LONGEST_LINE) + "'"
