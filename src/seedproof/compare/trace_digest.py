"""One digest for a whole trace: two runs with the same one left the same records."""

from __future__ import annotations

from hashlib import sha256

from seedproof.trace.format import layout
from seedproof.trace.reader import Stream


def trace_digest(stream: Stream) -> str:
    """SHA-256, in hexadecimal, over what is compared: every table by name, with all its rows."""
    total = sha256(repr((stream.hello or {}).get("digest")).encode())
    for key, table in sorted(stream.tables.items()):
        rows = table.whole_rows()
        if rows:
            total.update(repr((key, layout(table.columns), rows)).encode())
        for first in range(0, rows, table.block_rows):
            total.update(table.read(first, min(table.block_rows, rows - first)))
    return total.hexdigest()
