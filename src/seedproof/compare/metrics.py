"""Metrics over runs: mean, variance, range. Loss and accuracy are never mixed."""

from __future__ import annotations

import math
import statistics
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seedproof.trace.format import VALUE
from seedproof.trace.reader import Stream, Table

Folds = dict[int, float]


@dataclass(frozen=True)
class Spread:
    """One metric over the runs of an arm.

    `variance` is the population variance over the runs within each fold, averaged over the folds;
    `sample_variance` divides by one less (None for a single run). `range` is the largest
    difference between two runs in one fold. `folds` are the means over the runs. Values that are
    bit for bit equal have a variance of exactly 0; NaN is what cannot be told.
    """

    mean: float
    variance: float
    sample_variance: float | None
    range: float
    folds: tuple[float, ...]


def final_metrics(stream: Stream) -> dict[str, Folds]:
    """By name and fold, the last value that a run recorded of each metric."""
    columns = [(table, table.columns[0]) for table in stream.tables.values()]
    tables = [t for t, first in columns if (first.kind, first.phase) == (VALUE, "metric")]
    rows = [(table, *_last_row(table)) for table in tables if table.whole_rows()]
    found: dict[str, Folds] = {}
    for table, _, values in sorted(rows, key=lambda row: (row[1], row[0].number)):
        for column, value in zip(table.columns, values, strict=True):
            found.setdefault(column.name, {})[column.fold or 0] = value
    return found


def _last_row(table: Table) -> tuple[int, tuple[float, ...]]:
    row = struct.Struct(f"<q{len(table.columns)}d")
    step, *values = row.unpack(table.read(table.whole_rows() - 1, 1))
    return step, tuple(values)


def spreads(runs: Iterable[Mapping[str, Folds]]) -> dict[str, Spread]:
    """The spread of every metric that all runs have in the same folds."""
    all_runs = list(runs)
    if not all_runs:
        return {}
    return {
        name: _spread([run[name] for run in all_runs])
        for name, folds in all_runs[0].items()
        if all(run.get(name, {}).keys() == folds.keys() for run in all_runs)
    }


def _spread(runs: list[Folds]) -> Spread:
    columns = [[run[fold] for run in runs] for fold in sorted(runs[0])]
    several = len(runs) > 1
    return Spread(
        mean=_mean([value for column in columns for value in column]),
        variance=_mean([_variance(column, 0) for column in columns]),
        sample_variance=_mean([_variance(c, 1) for c in columns]) if several else None,
        range=_largest([_range(column) for column in columns]),
        folds=tuple(map(_mean, columns)),
    )


def _mean(values: list[float]) -> float:
    """Of equal values the value itself; NaN where there is none: infinities of both signs, a sum
    beyond all doubles."""
    if _same_bits(values):
        return values[0]
    try:
        return statistics.fmean(values)
    except (ValueError, OverflowError):
        return math.nan


def _variance(values: list[float], fewer: int) -> float:
    if _same_bits(values):
        return 0.0
    mean = _mean(values)
    squares = [(value - mean) * (value - mean) for value in values]
    return _mean(squares) * (len(values) / (len(values) - fewer))


def _range(values: list[float]) -> float:
    return 0.0 if _same_bits(values) else _largest(values) - min(values)


def _largest(values: list[float]) -> float:
    return math.nan if any(map(math.isnan, values)) else max(values)


def _same_bits(values: list[float]) -> bool:
    return len({struct.pack("<d", value) for value in values}) == 1
