"""The article's evaluation of its text files, with loss and accuracy apart and bits compared.

Runs in the parent only; NumPy is imported where a file is evaluated.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedproof.experiments.article_reader import read_results

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]

_LOSS, _ACCURACY = 0, 1  # columns of a fold's row


@dataclass(frozen=True)
class Variances:
    """Variance within a fold over the runs, averaged over the folds; nan where a value is not
    finite.

    Attributes:
        variance: the population variance (divided by the number of runs), the article's.
        sample_variance: divided by the number of runs less one; None for a single run.
    """

    variance: float
    sample_variance: float | None


@dataclass(frozen=True)
class Evaluation:
    """What one text file of the article says.

    Attributes:
        path: the file, as it was named.
        runs: number of runs.
        folds: number of folds in each run.
        variance: the article's one number: population variance of each fold's loss and accuracy
            over the runs, averaged over all of them.
        loss: the variances of the loss alone.
        accuracy: the variances of the accuracy alone.
        identical: whether all runs agree in the bits of every number (-0.0 is not 0.0); None for
            a single run, which was compared with nothing.
        not_finite: how many of the file's numbers are nan or infinite.
        seconds: summed gaps between the stamps; leaves out one run and includes start-up. None
            where a stamp is earlier than the one before it.
        backwards_line: the line of the first such stamp.
    """

    path: str
    runs: int
    folds: int
    variance: float
    loss: Variances
    accuracy: Variances
    identical: bool | None
    not_finite: int
    seconds: int | None
    backwards_line: int | None


def evaluate_results(path: str | os.PathLike[str]) -> Evaluation:
    """Evaluate one text file as the article does, and decide on the bits whether its runs agree.

    Raises:
        UsageError: the file cannot be read or is damaged; one line says where and what.
    """
    import numpy as np

    results = read_results(path)
    values = np.frombuffer(results.values).reshape(results.runs, results.folds, 2)
    same = _same_bits(values)
    population = _variance(values, same, spare=0)
    sample = _variance(values, same, spare=1) if results.runs > 1 else None
    return Evaluation(
        path=os.fspath(path),
        runs=results.runs,
        folds=results.folds,
        variance=float(population.mean()),
        loss=_averaged(population, sample, _LOSS),
        accuracy=_averaged(population, sample, _ACCURACY),
        identical=bool(same.all()) if results.runs > 1 else None,
        not_finite=int(np.count_nonzero(~np.isfinite(values))),
        seconds=results.seconds,
        backwards_line=results.backwards_line,
    )


def _same_bits(values: Matrix) -> npt.NDArray[np.bool_]:
    """For each fold's loss and accuracy: whether all runs have the bits of the first."""
    bits = values.view("u8")
    same: npt.NDArray[np.bool_] = (bits == bits[0]).all(axis=0)
    return same


def _variance(values: Matrix, same: npt.NDArray[np.bool_], spare: int) -> Matrix:
    """Variance of each fold's loss and accuracy over the runs, divided by runs - `spare`."""
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        variance: Matrix = np.var(values, axis=0, ddof=spare)
    # Rounding in the mean makes numpy.var of equal numbers tiny instead of 0.
    variance[same & np.isfinite(values[0])] = 0.0
    return variance


def _averaged(population: Matrix, sample: Matrix | None, column: int) -> Variances:
    return Variances(
        variance=float(population[:, column].mean()),
        sample_variance=None if sample is None else float(sample[:, column].mean()),
    )
