"""Whether a recording would have seen a difference, and whether it has changed nothing itself."""

from __future__ import annotations

from seedproof.compare.comparison import Comparison
from seedproof.compare.rows import blocks
from seedproof.compare.verdict import judge
from seedproof.trace.format import FINAL, WORD_BYTES, layout
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Table


def neutral(end_only: Trace, recorded: Trace) -> bool | None:
    """Whether a run that was recorded only at its end came to the same weights as one that was
    recorded at every step.

    None where that cannot be told: a run did not come to its end, or they have not left the
    weights of the same models.
    """
    ours, theirs = _final_tables(end_only), _final_tables(recorded)
    common = ours.keys() & theirs.keys()
    if any(_differ(ours[place], theirs[place]) for place in common):
        return False
    complete = end_only.ended and recorded.ended and ours.keys() == theirs.keys()
    return True if common and complete else None


def seen(reference: Trace, perturbed: Trace, steps: int | None = None) -> bool | None:
    """Whether the recording shows that one bit was flipped in `perturbed`, a run that came to its
    end and would have repeated `reference` otherwise; None where that cannot be told, as where
    there was no bit to flip."""
    perturbed.refresh()
    if not perturbed.all("perturbed"):
        return None
    verdict = judge({1: Comparison(reference, perturbed, steps)}, (0, 1))
    return {"diverged": True, "identical": False, "unknown": None}[verdict.name]


def _final_tables(trace: Trace) -> dict[tuple[str, str], Table]:
    """By stream and key, the tables of final weights that have rows."""
    return {
        (role, key): table
        for role, stream in trace.streams.items()
        for key, table in stream.tables.items()
        if key.startswith(FINAL) and table.whole_rows()
    }


def _differ(table: Table, twin: Table) -> bool:
    """Whether names or bits differ; steps may, because a run that nobody looks at counts none."""
    if layout(table.columns) != layout(twin.columns):
        return True
    return _words(table) != _words(twin)


def _words(table: Table) -> list[bytes]:
    """The words of each row; of final weights there are few rows."""
    width = table.row_bytes
    rows = b"".join(blocks(table))
    return [rows[at + WORD_BYTES : at + width] for at in range(0, len(rows), width)]
