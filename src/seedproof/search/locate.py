"""The first operation whose inputs were equal and whose outputs were not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seedproof.search.explanation import Operation, Place
from seedproof.trace.format import OPERATIONS, row_struct
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Stream, Table

_KEY = f"{OPERATIONS}#0"
_ROW = row_struct(3)


def first_operation(reference: Trace, other: Trace, role: str, step: int) -> Operation | None:
    """Of the process `role`, in two runs that were looked at closely at `step`; None where they
    were not, or where what differs came from elsewhere."""
    streams = [trace.streams.get(role) for trace in (reference, other)]
    if not all(stream is not None and _KEY in stream.tables for stream in streams):
        return None
    ours, theirs = (stream for stream in streams if stream is not None)
    named = {event["number"]: event for event in ours.all("operation")}
    for mine, yours in zip(_rows(ours), _rows(theirs), strict=False):
        (_, number, inputs, outputs), (_, other_number, other_inputs, other_outputs) = mine, yours
        if number != other_number or number not in named:
            return None
        if outputs != other_outputs:  # else what differs in its inputs was of no use to it
            return _operation(named[number], step, outputs_alone=inputs == other_inputs)
    return None


def _operation(event: dict[str, Any], step: int, outputs_alone: bool) -> Operation:
    place = Place(event["file"], event["line"]) if {"file", "line"} <= event.keys() else None
    return Operation(step, event["name"], place, outputs_alone, event.get("beside", False))


def _rows(stream: Stream) -> Iterator[tuple[int, ...]]:
    table: Table = stream.tables[_KEY]
    count = table.whole_rows()
    for first in range(0, count, table.block_rows):
        yield from _ROW.iter_unpack(table.read(first, min(table.block_rows, count - first)))
