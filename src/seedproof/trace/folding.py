"""Rows beyond a table's share of the disk: one digest per phase instead of one per tensor.

Whether a row is folded depends on its number alone, so it is the same in every run.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Sequence

from seedproof.trace.format import VALUE, WORD_BYTES, Column, row_struct

TABLE_BYTES = 512 << 20
FOLDED = "~"  # after the key of a table: where it goes on


def whole_rows(columns: Sequence[Column]) -> int | None:
    """How many rows of such a table are written whole; None for all (metrics are few)."""
    if any(column.kind == VALUE for column in columns):
        return None
    return TABLE_BYTES // (WORD_BYTES * (1 + len(columns)))


def folded_columns(columns: Sequence[Column]) -> list[Column]:
    """One column for each phase that the table has."""
    phases = dict.fromkeys(column.phase for column in columns)
    return [Column(phase, f"all of {phase}") for phase in phases]


class Folding:
    """Folds rows of a table with these columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._row = row_struct(len(columns))
        phases = dict.fromkeys(column.phase for column in columns)
        self._places = [
            [at for at, column in enumerate(columns) if column.phase == phase] for phase in phases
        ]
        self._folded = row_struct(len(phases))

    def fold(self, rows: bytes) -> bytes:
        """Whole rows in, as many folded ones out."""
        return b"".join(map(self._fold_row, self._row.iter_unpack(rows)))

    def _fold_row(self, row: tuple[int, ...]) -> bytes:
        step, words = row[0], row[1:]
        return self._folded.pack(step, *(_fold([words[at] for at in of]) for of in self._places))


def _fold(words: Sequence[int]) -> int:
    data = struct.pack(f"<{len(words)}Q", *words)
    return int.from_bytes(blake2b(data, digest_size=WORD_BYTES).digest(), "little")
