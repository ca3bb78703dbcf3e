"""Whether a difference between two runs proves that they part, or may come from our own looking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedproof.compare.completeness import losses, one_line, unseen, unseen_in
from seedproof.compare.divergence import Divergence
from seedproof.trace.format import VALUE
from seedproof.trace.reader import Trace


def doubt(found: Divergence, reference: Trace, other: Trace, steps: int | None) -> str:
    """Why it proves nothing, in one clause; empty where it is proof.

    Other bits are always one, wherever it is known which process made them. What only one of the
    runs has, the other may have had without its being recorded.
    """
    traces = (reference, other)
    ambiguity = next(filter(None, (trace.ambiguity(found.stream) for trace in traces)), "")
    if ambiguity:
        return one_line(ambiguity)
    if found.kind in ("bits", "shape"):
        return ""
    if recorded_otherwise := _other_recording(reference, other):
        return recorded_otherwise
    if found.kind == "layout":
        return _other_digests(found, reference, other)
    lacks = (_may_lack(trace, found.stream, steps) for trace in traces)
    return next(filter(None, lacks), "")


def _other_recording(reference: Trace, other: Trace) -> str:
    """How the recordings themselves differ, which have other records then."""
    ours, theirs = reference.hello or {}, other.hello or {}
    if ours.get("mode", "steps") != theirs.get("mode", "steps"):
        return "only one of the two was recorded at every step"
    recorders = [_recorder(hello) for hello in (theirs, ours)]
    if recorders[0] != recorders[1]:
        return "recorded by {}, run 0 by {}, which do not record the same".format(*recorders)
    return ""


def _other_digests(found: Divergence, reference: Trace, other: Trace) -> str:
    """Digests of two kinds say nothing of each other."""
    ours, theirs = (_kinds(found, trace) for trace in (reference, other))
    if not ours or not theirs or ours == theirs or VALUE in ours | theirs:
        return ""
    return f"its digests of {one_line(found.name)} are of another kind than those of run 0"


def _kinds(found: Divergence, trace: Trace) -> set[str]:
    columns = trace.streams[found.stream].tables[found.table].columns
    return {one.kind for one in columns if (one.phase, one.name) == (found.phase, found.name)}


def _recorder(hello: Mapping[str, Any]) -> str:
    version = hello.get("seedproof")
    return f"seedproof {one_line(version)}" if version else "a seedproof of unknown version"


def _may_lack(trace: Trace, role: str, steps: int | None) -> str:
    stream = trace.streams.get(role)
    return unseen(trace) if stream is None else losses(stream, steps) or unseen_in(stream)
