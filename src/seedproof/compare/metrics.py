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
    bit for bit equal have a variance of exactly 0.
    """

    mean: float
    variance: float
    sample_variance: float | None
    range: float
    folds: tuple[float, ...]


def final_metrics(stream: Stream) -> dict[str, Folds]:
    """By name and fold, the last value that a run recorded of each metric."""
    found: dict[str, Folds] = {}
    for table in stream.tables.values():
        if table.columns[0].kind == VALUE and table.whole_rows():
            for name, fold, value in _last_row(table):
                found.setdefault(name, {})[fold] = value
    return found


def _last_row(table: Table) -> Iterable[tuple[str, int, float]]:
    words = struct.unpack_from(f"<{len(table.columns)}d", table.read(table.whole_rows() - 1, 1), 8)
    for column, value in zip(table.columns, words, strict=True):
        yield column.name, column.fold or 0, value


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
        mean=statistics.fmean(value for column in columns for value in column),
        variance=statistics.fmean(_variance(column, 0) for column in columns),
        sample_variance=statistics.fmean(_variance(c, 1) for c in columns) if several else None,
        range=max(_range(column) for column in columns),
        folds=tuple(statistics.fmean(column) for column in columns),
    )


def _variance(values: list[float], fewer: int) -> float:
    if _same_bits(values):
        return 0.0
    mean = statistics.fmean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - fewer)


def _range(values: list[float]) -> float:
    return 0.0 if _same_bits(values) else max(values) - min(values)


def _same_bits(values: list[float]) -> bool:
    return len({struct.pack("<d", value) for value in values}) == 1
