"""Evaluations of the article's text files as JSON, schema `seedproof.eval/1`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedproof.experiments.evaluation import Evaluation, Variances

SCHEMA = "seedproof.eval/1"


def evaluations_as_json(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """All of them, in full precision; numbers that are not finite become null."""
    return {"schema": SCHEMA, "files": [_evaluation(evaluation) for evaluation in evaluations]}


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    return {
        # A name that is no Unicode could not be written.
        "path": evaluation.path.encode("utf-8", "backslashreplace").decode("utf-8"),
        "runs": evaluation.runs,
        "folds": evaluation.folds,
        "variance": _number(evaluation.variance),
        "seconds": evaluation.seconds,
        "loss": _variances(evaluation.loss),
        "accuracy": _variances(evaluation.accuracy),
        "identical": evaluation.identical,
    }


def _variances(variances: Variances) -> dict[str, float | None]:
    return {
        "variance": _number(variances.variance),
        "sample_variance": _number(variances.sample_variance),
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
