"""What a recording can prove: whether it is whole, and what it could not look at."""

from __future__ import annotations

import re

from seedproof.compare.rows import compared_phases, rows_before
from seedproof.trace.events import is_foreign
from seedproof.trace.format import MAIN_STREAM, SCHEMA
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Stream

_WORKER = re.compile(r"(worker|fork)[0-9]+(#[0-9]+)?")
_TRAINING = {"backward", "update"}
_POOL = " (a pool that ends its workers has to let them end: pool.close(), then pool.join())"


# -- of a whole run ----------------------------------------------------------------------------


def trace_incompleteness(trace: Trace, steps: int | None = None) -> str:
    """Why a run's recording cannot prove anything about the steps before `steps` (None: about
    all), in one clause; empty where it can."""
    if trace.hello is None:
        return "the recording did not begin"
    missing = trace.missing_rank()
    if missing is not None:
        return f"rank {missing[0]} of {missing[1]} left no recording"
    reasons = (
        of_stream(role, _incompleteness_of(trace, role, stream, steps))
        for role, stream in trace.streams.items()
    )
    return next(filter(None, reasons), "")


def _incompleteness_of(trace: Trace, role: str, stream: Stream, steps: int | None) -> str:
    if is_cut_short(trace, role):
        return losses(stream, steps)
    reason = incompleteness(stream, steps)
    ended_from_outside = reason and stream.hello and not stream.ended and _is_worker(role)
    return reason + _POOL if ended_from_outside else reason


def _is_worker(role: str) -> bool:
    return _WORKER.fullmatch(role.rpartition("/")[2]) is not None


def unseen(trace: Trace) -> str:
    """What is known to have trained without being looked at, in one clause."""
    if trace.others():
        return "another process of it used a framework and was not looked at"
    reasons = (of_stream(role, unseen_in(stream)) for role, stream in trace.streams.items())
    return next(filter(None, reasons), "")


def is_cut_short(trace: Trace, role: str) -> bool:
    """Whether it is chance how far a stream goes: that of a worker which trained nothing and was
    ended from outside, or which belongs to a run that was ended on purpose."""
    stream = trace.streams[role]
    if not _is_worker(role) or compared_phases(stream) & _TRAINING:
        return False
    return not stream.ended or trace.stopped_after is not None


def of_stream(role: str, reason: str) -> str:
    """The reason with the stream that it is about, if there is a reason."""
    return f"{role}: {reason}" if reason and role != MAIN_STREAM else reason


# -- of one stream -----------------------------------------------------------------------------


def incompleteness(stream: Stream, steps: int | None = None) -> str:
    """Why a stream cannot prove anything about the steps before `steps` (None: about all), in one
    clause; empty where it can."""
    if stream.hello is None:
        return "the recording did not begin"
    if reason := losses(stream, steps):
        return reason
    if not stream.ended:
        watermark = stream.watermark()
        if steps is not None and watermark > steps:
            return ""
        return f"the recording stops after step {watermark - 1}, before the script's end"
    torn = [table.key for table in stream.tables.values() if table.is_torn()]
    return f"its table {one_line(torn[0])} ends within a row" if torn else ""


def losses(stream: Stream, steps: int | None = None) -> str:
    """Why records of a stream may be missing or unreadable, wherever it ends, in one clause."""
    if stream.hello is not None and is_foreign(stream.hello):
        return f"its trace is of {one_line(repr(stream.hello.get('schema')))}, not of {SCHEMA}"
    for trouble in stream.all("trouble"):
        last = trouble["error"].strip().splitlines()[-1:]
        return f"the recording failed in {one_line(' '.join([trouble['where'], *last]))}"
    return _gap(stream, steps)


def _gap(stream: Stream, steps: int | None) -> str:
    """Every update inside a graph has one row; another count means that some were lost."""
    updates = stream.watermark() if steps is None else min(stream.watermark(), steps)
    inside = _rows(stream, "optimizer", steps)
    if not inside or _rows(stream, "between", steps):
        return ""  # a row between steps may stand for several updates
    if inside < updates or (stream.ended and inside > updates):
        return f"{inside} of {updates} updates were recorded"
    return ""


def _rows(stream: Stream, owner: str, steps: int | None) -> int:
    tables = [table for key, table in stream.tables.items() if key.startswith(owner)]
    return sum(rows_before(table, steps) for table in tables)


def unseen_in(stream: Stream) -> str:
    """What is known to have trained in a process without being looked at, in one clause."""
    for event in stream.all("unseen"):
        return f"{one_line(event['text'])} were not looked at"
    return ""


def one_line(text: str) -> str:
    """Words from a trace, safe for one line."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return plain[:200]
