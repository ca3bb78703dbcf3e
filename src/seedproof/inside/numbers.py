"""Metrics as the columns of a row: the bits of doubles, and what is not one number apart."""

from __future__ import annotations

import struct
from typing import Any

from seedproof.trace.format import VALUE, Column


def as_columns(
    values: dict[str, Any], fold: int | None
) -> tuple[list[Column], list[int], dict[str, Any]]:
    """The columns and words of the numbers among `values`, by name, and the others."""
    columns, words, others = [], [], {}
    for name, value in sorted(values.items()):
        try:
            number = float(value)
        except (TypeError, ValueError):
            others[name] = value
        else:
            columns.append(Column("metric", name, kind=VALUE, fold=fold))
            words.append(struct.unpack("<Q", struct.pack("<d", number))[0])
    return columns, words, others
