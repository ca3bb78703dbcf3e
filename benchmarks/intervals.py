"""How sure a measured ratio is."""

from __future__ import annotations

import numpy as np


def interval(ratios: list[float]) -> tuple[float, float]:
    """The 95% interval of the median, by a bootstrap."""
    generator = np.random.default_rng(0)
    medians = np.median(generator.choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.quantile(medians, 0.025)), float(np.quantile(medians, 0.975))
