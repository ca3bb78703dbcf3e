"""What a policy costs: the ratio of paired timings, with its interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """`ratio` is the geometric mean of the pairs' ratios, `low` and `high` its 95% interval
    (None for fewer than two pairs)."""

    policy: str
    baseline: str
    ratio: float
    low: float | None
    high: float | None
    pairs: int


def cost(
    policy: str, seconds: Sequence[float], baseline: str, baseline_seconds: Sequence[float]
) -> Cost:
    """The cost of `policy` against `baseline`, from runs timed in turn: equally many of each.

    The interval is Student's for the mean of the logarithms, which holds for few pairs too.
    Raises ValueError for no pairs, unequally many, or a time that is not above zero.
    """
    if not seconds or min(*seconds, *baseline_seconds, 1) <= 0:
        raise ValueError("a cost is the ratio of pairs of times above zero")
    pairs = zip(seconds, baseline_seconds, strict=True)
    logs = [math.log(ours / theirs) for ours, theirs in pairs]
    middle = statistics.fmean(logs)
    half = _half_width(logs)
    if half is None:
        return Cost(policy, baseline, math.exp(middle), None, None, len(logs))
    return Cost(
        policy,
        baseline,
        math.exp(middle),
        math.exp(middle - half),
        math.exp(middle + half),
        len(logs),
    )


def _half_width(logs: Sequence[float]) -> float | None:
    if len(logs) < 2:
        return None
    from scipy.stats import t

    quantile = float(t.ppf(0.975, len(logs) - 1))
    return quantile * statistics.stdev(logs) / math.sqrt(len(logs))
