"""The verdict on a set of runs. `identical` needs evidence; what cannot be told is `unknown`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seedproof.compare.divergence import Comparison, Divergence
from seedproof.trace.events import is_foreign
from seedproof.trace.format import SCHEMA, layout
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
    are held to have the same length, if their recordings are whole too.
    """
    for index, comparison in comparisons.items():
        comparison.advance()
        streams = (comparison.reference, comparison.other)
        if {0, index} <= set(completed) and not any(map(incompleteness, streams)):
            comparison.finish()
    found = [
        (first.order, index, first)
        for index, comparison in comparisons.items()
        if (first := _first_certain(comparison)) is not None
    ]
    if found:
        _, index, divergence = min(found, key=lambda item: item[:2])
        return Verdict("diverged", divergence=divergence, runs=(0, index))
    return _without_divergence(comparisons, completed)


def _first_certain(comparison: Comparison) -> Divergence | None:
    """What a recording that lost rows lacks is no divergence; other bits are one even there."""
    streams = (comparison.reference, comparison.other)
    lossy = any(_trouble(stream) or _gap(stream) for stream in streams)
    return next(
        (
            found
            for found in comparison.divergences()
            if not lossy or found.kind not in ("missing", "extra")
        ),
        None,
    )


def _without_divergence(comparisons: Mapping[int, Comparison], completed: Sequence[int]) -> Verdict:
    if not comparisons:
        return Verdict("unknown", "a single run was compared with nothing")
    missing = [index for index in (0, *comparisons) if index not in completed]
    if missing:
        return Verdict("unknown", f"run {missing[0]} did not end successfully")
    streams = {0: next(iter(comparisons.values())).reference}
    streams.update({index: comparison.other for index, comparison in comparisons.items()})
    for index, stream in streams.items():
        reason = incompleteness(stream) or _unseen(stream) or _other_digest(stream, streams[0])
        if reason:
            return Verdict("unknown", f"run {index}: {reason}")
    if any(comparison.words_compared == 0 for comparison in comparisons.values()):
        return Verdict("unknown", "nothing was recorded, so nothing was compared")
    return Verdict("identical")


def incompleteness(stream: Stream) -> str:
    """Why a stream cannot prove anything, in one clause; empty where it can."""
    if stream.hello is None:
        return "the recording did not begin"
    if is_foreign(stream.hello):
        return f"its trace is of {_line(repr(stream.hello.get('schema')))}, not of {SCHEMA}"
    if _trouble(stream) or _gap(stream):
        return _trouble(stream) or _gap(stream)
    if not stream.ended:
        return f"the recording stops after step {stream.watermark() - 1}, before the script's end"
    torn = [table.key for table in stream.tables.values() if table.is_torn()]
    return f"its table {_line(torn[0])} ends within a row" if torn else ""


def _unseen(stream: Stream) -> str:
    """What is known to have trained without being looked at, in one clause."""
    if stream.others():
        return "another process of it used a framework and was not looked at"
    for event in stream.all("unseen"):
        return f"{_line(event['text'])} were not looked at"
    return ""


def _other_digest(stream: Stream, reference: Stream) -> str:
    ours, theirs = ((one.hello or {}).get("digest", "") for one in (stream, reference))
    return (
        "" if ours == theirs else f"its digests are {_line(ours)}, those of run 0 {_line(theirs)}"
    )


def _trouble(stream: Stream) -> str:
    for trouble in stream.all("trouble"):
        last = trouble["error"].strip().splitlines()[-1:]
        return f"the recording failed in {_line(' '.join([trouble['where'], *last]))}"
    return ""


def _gap(stream: Stream) -> str:
    """Every update inside a graph has one row; another count means that some were lost."""
    updates = stream.watermark()
    rows = {key: table.whole_rows() for key, table in stream.tables.items()}
    inside = sum(count for key, count in rows.items() if key.startswith("optimizer"))
    between = sum(count for key, count in rows.items() if key.startswith("between"))
    if not inside or between:  # a row between steps may stand for several updates
        return ""
    if inside < updates or (stream.ended and inside > updates):
        return f"{inside} of {updates} updates were recorded"
    return ""


def _line(text: str) -> str:
    """Words from a trace, safe for one line."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return plain[:200]


def compared_phases(stream: Stream) -> set[str]:
    """The phases of which a stream has records."""
    columns = [c for table in stream.tables.values() if table.whole_rows() for c in table.columns]
    return {phase for phase, _, _ in layout(columns)}
