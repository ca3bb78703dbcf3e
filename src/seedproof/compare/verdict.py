"""The verdict on a set of runs. `identical` needs evidence; what cannot be told is `unknown`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seedproof.compare.divergence import Comparison, Divergence
from seedproof.trace.format import layout
from seedproof.trace.reader import Stream

VerdictName = Literal["identical", "diverged", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """`name`, with the reason in one clause where it is `unknown`, and the earliest divergence
    with the two runs that part there where it is `diverged`."""

    name: VerdictName
    reason: str = ""
    divergence: Divergence | None = None
    runs: tuple[int, int] | None = None


def judge(comparisons: Mapping[int, Comparison], completed: Sequence[int]) -> Verdict:
    """The verdict on the runs that `comparisons` compare with run 0.

    `completed` are the indices of the runs that ended by themselves, run 0 included; only those
    are held to have the same length.
    """
    for index, comparison in comparisons.items():
        if index in completed and 0 in completed:
            comparison.finish()
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
        return Verdict("unknown", f"run {missing[0]} did not end by itself")
    streams = {0: next(iter(comparisons.values())).reference}
    streams.update({index: comparison.other for index, comparison in comparisons.items()})
    for index, stream in streams.items():
        reason = incompleteness(stream)
        if reason:
            return Verdict("unknown", f"run {index}: {reason}")
    if any(comparison.words_compared == 0 for comparison in comparisons.values()):
        return Verdict("unknown", "nothing was recorded, so nothing was compared")
    return Verdict("identical")


def incompleteness(stream: Stream) -> str:
    """Why a stream cannot prove anything, in one clause; empty where it can."""
    if stream.hello is None:
        return "the recording did not begin"
    troubles = stream.all("trouble")
    if troubles:
        last_line = str(troubles[0].get("error", "")).strip().splitlines()[-1:]
        return f"the recording failed in {troubles[0].get('where')}: {' '.join(last_line)}"
    if not stream.ended:
        return f"the recording stops after step {stream.watermark() - 1}, before the script's end"
    return _gap(stream)


def _gap(stream: Stream) -> str:
    """Every update inside a graph has one row; another count means that some were lost."""
    rows = [t.whole_rows() for key, t in stream.tables.items() if key.startswith("optimizer")]
    updates = stream.watermark()
    if rows and sum(rows) != updates:
        return f"{sum(rows)} of {updates} updates were recorded"
    return ""


def compared_phases(stream: Stream) -> set[str]:
    """The phases of which a stream has records."""
    columns = [c for table in stream.tables.values() if table.whole_rows() for c in table.columns]
    return {phase for phase, _, _ in layout(columns)}
