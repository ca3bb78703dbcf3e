"""What identical runs prove, and what they would have missed."""

from __future__ import annotations

from decimal import ROUND_UP, Context

# How often a fault strikes, as the reader reads it, and the number of runs that leaves it unseen
# in no more than 0.3% of the checks.
_FAULTS = (
    ("second", 1 / 2, 10),
    ("tenth", 1 / 10, 60),
    ("hundredth", 1 / 100, 600),
    ("thousandth", 1 / 1000, 6000),
)
_WORTH_SAYING = 0.01  # a fault that is missed more seldom than this is as good as excluded
_TWO_DIGITS_UP = Context(prec=2, rounding=ROUND_UP)


def max_divergence_probability(runs: int, confidence: float = 0.95) -> float | None:
    """Upper bound on the probability that one more run differs, when all runs were identical.

    Each run after the first is one trial against the first's result. If a trial fails with
    probability p, all succeed with probability (1 - p)^(runs - 1); the bound is the p at which
    that is 1 - confidence (the exact binomial bound of Clopper and Pearson for no failures).

    Returns:
        1 - (1 - confidence)^(1 / (runs - 1)), or None for fewer than two runs.

    Raises:
        ValueError: confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it lies between 0 and 1")
    if runs < 2:
        return None
    return 1 - float((1 - confidence) ** (1 / (runs - 1)))


def missed_probability(rate: float, runs: int) -> float:
    """Probability that a check of `runs` runs does not see a fault.

    Args:
        rate: probability with which the fault strikes a run, each independently, 0 to 1.
        runs: number of runs in the check; all but the first are compared with the first.

    Raises:
        ValueError: rate is not a probability, or there are no runs.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}; it lies between 0 and 1")
    if runs < 1:
        raise ValueError(f"{runs} runs; a check has at least one")
    return float((1 - rate) ** (runs - 1))


def evidence_sentence(runs: int) -> str:
    """What `runs` identical runs mean, for a person: the bound, and a fault they would miss."""
    bound = max_divergence_probability(runs)
    if bound is None:
        return "A single run was compared with nothing, so it says nothing about repeating."
    return (
        f"{runs} identical runs mean, at 95% confidence, that another run differs with "
        f"probability at most {_percent(bound)}{_missed_clause(runs)}."
    )


def _missed_clause(runs: int) -> str:
    """The most frequent fault worth saying, and the runs that would have shown it; may be empty."""
    for often, rate, more_runs in _FAULTS:
        missed = missed_probability(rate, runs)
        if missed >= _WORTH_SAYING:
            return (
                f": a fault that strikes every {often} run would have been missed in "
                f"{_percent(missed)} of such checks; with --runs {more_runs} in "
                f"{_percent(missed_probability(rate, more_runs))}"
            )
    return ""


def _percent(probability: float) -> str:
    """Two digits, rounded up: what is shown is a bound still."""
    percent = _TWO_DIGITS_UP.create_decimal_from_float(100 * probability)
    return f"{percent.normalize():f}%"
