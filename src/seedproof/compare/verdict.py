"""The verdict on a set of runs. `identical` needs evidence; what cannot be told is `unknown`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seedproof.compare.comparison import Comparison
from seedproof.compare.completeness import of_stream, one_line, trace_incompleteness, unseen
from seedproof.compare.divergence import Divergence
from seedproof.trace.reader import Trace

VerdictName = Literal["identical", "diverged", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """`name`, with the reason in one clause where it is `unknown`, and the earliest divergence
    with the two runs that part there where it is `diverged`. `nothing_recorded` tells that there
    was nothing to compare, and no other reason to doubt."""

    name: VerdictName
    reason: str = ""
    divergence: Divergence | None = None
    runs: tuple[int, int] | None = None
    nothing_recorded: bool = False


def judge(comparisons: Mapping[int, Comparison], completed: Sequence[int]) -> Verdict:
    """The verdict on the runs that `comparisons` compare with run 0.

    `completed` are the indices of the runs that ended by themselves, run 0 included; only those
    are held to have the same length, stream by stream where their recordings are whole too.
    """
    for index, comparison in comparisons.items():
        if {0, index} <= set(completed):
            comparison.finish()
        else:
            comparison.advance()
    found = [
        (first.order, index, first)
        for index, comparison in comparisons.items()
        if (first := comparison.first()) is not None
    ]
    if found:
        _, index, divergence = min(found, key=lambda item: item[:2])
        return Verdict("diverged", divergence=divergence, runs=(0, index))
    return _without_divergence(comparisons, completed)


def _without_divergence(comparisons: Mapping[int, Comparison], completed: Sequence[int]) -> Verdict:
    if not comparisons:
        return Verdict("unknown", "a single run was compared with nothing")
    missing = [index for index in (0, *comparisons) if index not in completed]
    if missing:
        return Verdict("unknown", f"run {missing[0]} did not end successfully")
    traces = [trace for comparison in comparisons.values() for trace in comparison.traces]
    if all(trace.hello is None for trace in traces):
        reason = "the recording did not begin in any run"
        return Verdict("unknown", reason, nothing_recorded=True)
    for index, reason in _doubts(comparisons):
        if reason:
            return Verdict("unknown", f"run {index}: {reason}")
    if any(comparison.words_compared == 0 for comparison in comparisons.values()):
        reason = "nothing was recorded, so nothing was compared"
        return Verdict("unknown", reason, nothing_recorded=True)
    return Verdict("identical")


def _doubts(comparisons: Mapping[int, Comparison]) -> Iterator[tuple[int, str]]:
    """By run, what its recording does not let us tell."""
    first = next(iter(comparisons.values()))
    yield 0, _shortcoming(first.reference, first.steps)
    for index, comparison in comparisons.items():
        yield index, _shortcoming(comparison.other, comparison.steps)
        yield index, _other_digest(comparison)
        yield index, comparison.doubt()


def _shortcoming(trace: Trace, steps: int | None) -> str:
    return trace_incompleteness(trace, steps) or unseen(trace)


def _other_digest(comparison: Comparison) -> str:
    for role, twins in comparison.streams.items():
        ours, theirs = (
            (one.hello or {}).get("digest", "") for one in (twins.other, twins.reference)
        )
        if ours != theirs:
            reason = f"its digests are {one_line(ours)}, those of run 0 {one_line(theirs)}"
            return of_stream(role, reason)
    return ""
