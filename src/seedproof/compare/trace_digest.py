"""One digest for a whole trace: two runs with the same one left the same records."""

from __future__ import annotations

from hashlib import sha256

from seedproof.trace.reader import Stream, Table

_BLOCK_ROWS = 1 << 14


def trace_digest(stream: Stream) -> str:
    """SHA-256, in hexadecimal, over all tables by name: their columns, then their rows."""
    total = sha256()
    for key in sorted(stream.tables):
        table = stream.tables[key]
        columns = [(c.phase, c.name, c.kind, c.dtype, c.shape) for c in table.columns]
        total.update(repr((key, columns)).encode())
        _add_rows(total.update, table)
    return total.hexdigest()


def _add_rows(update: object, table: Table) -> None:
    assert callable(update)
    rows = table.whole_rows()
    for first in range(0, rows, _BLOCK_ROWS):
        update(table.read(first, min(_BLOCK_ROWS, rows - first)))
