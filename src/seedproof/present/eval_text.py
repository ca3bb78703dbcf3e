"""An evaluation of the article's text file, for the terminal."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING

from seedproof.compare.evidence import evidence_sentence

if TYPE_CHECKING:
    from seedproof.experiments.evaluation import Evaluation, Variances

_WIDTH = 100


def present_evaluation(evaluation: Evaluation) -> str:
    """The article's line `PATH: VARIANCE, TIME`, then indented what its two numbers hide."""
    said = [
        f"found: {_count(evaluation.runs, 'run')} of {_count(evaluation.folds, 'fold')}",
        *_not_finite(evaluation),
        f"loss: {_variances(evaluation.loss)}",
        f"accuracy: {_variances(evaluation.accuracy)}",
        f"identical: {_identical(evaluation)}",
        f"time: {_time_meaning(evaluation)}",
    ]
    return "\n".join([article_line(evaluation), *map(_indented, said), ""])


def article_line(evaluation: Evaluation) -> str:
    """`PATH: VARIANCE, TIME` with the time as H:MM:SS, or `unknown` where the clock went back."""
    seconds = evaluation.seconds
    time = "unknown" if seconds is None else str(timedelta(seconds=seconds))
    return f"{evaluation.path}: {evaluation.variance!r}, {time}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _not_finite(evaluation: Evaluation) -> list[str]:
    if not evaluation.not_finite:
        return []
    numbers = 2 * evaluation.runs * evaluation.folds
    return [f"not finite: {evaluation.not_finite} of {numbers} numbers are nan or infinite"]


def _variances(variances: Variances) -> str:
    sample = variances.sample_variance
    beside = "none for a single run" if sample is None else repr(sample)
    return f"variance {variances.variance!r} (sample variance {beside})"


def _identical(evaluation: Evaluation) -> str:
    if evaluation.identical:
        return f"yes, bit for bit. {evidence_sentence(evaluation.runs)}"
    if evaluation.identical is None:
        return f"unknown. {evidence_sentence(evaluation.runs)}"
    return "no: a loss or an accuracy has other bits in one run than in another."


def _time_meaning(evaluation: Evaluation) -> str:
    if evaluation.backwards_line is not None:
        return (
            f"unknown: the stamp in line {evaluation.backwards_line} is earlier than the one "
            "before it (the clock was set back, or runs were side by side)"
        )
    return (
        "the gaps between the stamps, summed: leaves out one run, includes start-up, "
        "and is wall time if runs were side by side"
    )


def _indented(text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
