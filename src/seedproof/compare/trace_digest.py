"""One digest for a whole trace: two runs with the same one left the same records."""

from __future__ import annotations

from hashlib import sha256

from seedproof.compare.completeness import is_cut_short
from seedproof.compare.rows import blocks, compared_tables
from seedproof.trace.format import layout
from seedproof.trace.reader import Trace


def trace_digest(trace: Trace, steps: int | None = None) -> str:
    """SHA-256, in hexadecimal, over what is compared: by stream and name every table, with all its
    rows at steps before `steps` (None: with all).

    How far a worker came that was ended from outside is chance, so it does not count.
    """
    total = sha256(repr((trace.hello or {}).get("digest")).encode())
    for role, stream in trace.streams.items():
        if is_cut_short(trace, role):
            continue
        for key, table in sorted(compared_tables(stream).items()):
            rows = sha256()
            size = 0
            for block in blocks(table, steps):
                rows.update(block)
                size += len(block)
            if size:
                total.update(repr((role, key, layout(table.columns), size)).encode())
                total.update(rows.digest())
    return total.hexdigest()
