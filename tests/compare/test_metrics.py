"""Metrics over runs: against NumPy, and where numbers end."""

import math
import struct

import numpy as np
import pytest

from seedproof.compare.metrics import final_metrics, spreads
from seedproof.trace.format import Column
from traces import Trace

RUNS = np.random.default_rng(0).random((4, 3)).tolist()


def folds(*values):
    return {"loss": dict(enumerate(values))}


def spread(*runs):
    return spreads([folds(*run) for run in runs])["loss"]


# -- over runs ---------------------------------------------------------------------------------


def test_the_spread_is_that_within_a_fold_then_averaged():
    found, values = spread(*RUNS), np.array(RUNS)
    assert found.mean == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(axis=0).mean())
    assert found.sample_variance == pytest.approx(values.var(axis=0, ddof=1).mean())
    assert found.range == pytest.approx(np.ptp(values, axis=0).max())
    assert found.folds == pytest.approx(values.mean(axis=0))


def test_folds_that_differ_among_themselves_are_no_variance():
    found = spread((0.1, 0.2, 0.7), (0.1, 0.2, 0.7), (0.1, 0.2, 0.7))
    assert (found.variance, found.sample_variance, found.range) == (0, 0, 0)
    assert found.folds == (0.1, 0.2, 0.7)


def test_one_bit_in_one_run_is_a_variance():
    found = spread((1.0,), (1.0,), (math.nextafter(1, 2),))
    assert found.variance > 0
    assert found.range == math.nextafter(1, 2) - 1


def test_a_single_run_has_no_sample_variance():
    found = spread((0.5, 0.25))
    assert (found.mean, found.variance, found.sample_variance, found.range) == (0.375, 0, None, 0)


def test_no_runs_have_no_metrics():
    assert spreads([]) == {}


def test_metrics_are_never_mixed():
    runs = [{"loss": {0: 1.0}, "accuracy": {0: 0.5}}, {"loss": {0: 3.0}, "accuracy": {0: 0.5}}]
    found = spreads(runs)
    assert (found["loss"].variance, found["accuracy"].variance) == (1, 0)


@pytest.mark.parametrize("other", [{}, {"loss": {0: 1.0}}, {"loss": {0: 1.0, 2: 1.0}}])
def test_a_metric_that_a_run_lacks_is_left_out(other):
    assert spreads([folds(1.0, 2.0), other]) == {}


def test_folds_may_be_numbered_from_anywhere():
    found = spreads([{"loss": {7: 1.0, 3: 2.0}}, {"loss": {3: 4.0, 7: 1.0}}])["loss"]
    assert found.folds == (3.0, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0])
def test_equal_values_have_no_variance_whatever_they_are(value):
    found = spread((value,), (value,), (value,))
    assert (found.variance, found.sample_variance, found.range) == (0, 0, 0)


@pytest.mark.parametrize(
    ("values", "widest"),
    [
        ((1.0, math.nan), math.nan),
        ((math.nan, 1.0), math.nan),
        ((1.0, math.inf), math.inf),
        ((-math.inf, math.inf), math.inf),
        ((1e308, -1e308), math.inf),
        ((1.7e308, 1.6e308), 1.7e308 - 1.6e308),
        ((1e200, 3e200), 2e200),
    ],
)
def test_what_no_double_can_hold_is_no_number_and_no_error(values, widest):
    found = spread(*((value,) for value in values))
    assert found.range == pytest.approx(widest, nan_ok=True)
    assert not math.isfinite(found.variance)
    assert not math.isfinite(found.sample_variance)


def test_opposite_infinities_have_no_mean():
    found = spread((math.inf, 1.0), (-math.inf, 1.0))
    assert math.isnan(found.mean)
    assert found.folds == (pytest.approx(math.nan, nan_ok=True), 1.0)


def test_no_fold_hides_that_another_has_no_number():
    for runs in [((math.nan, 1.0), (2.0, 1.0)), ((1.0, math.nan), (1.0, 2.0))]:
        assert math.isnan(spread(*runs).range)


# -- of one run --------------------------------------------------------------------------------


def word(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def logged(trace, name, step, value, fold=None, key=None):
    columns = [Column("metric", name, kind="value", fold=fold)]
    trace.rows(key or f"{name}@{fold}", (step, word(value)), columns=columns)


def test_the_last_value_of_each_metric_and_fold_counts(tmp_path):
    trace = Trace(tmp_path).updates(1)
    for step, loss in enumerate((0.5, 0.1 + 0.2)):
        logged(trace, "loss", step, loss, fold=0)
    logged(trace, "loss", 5, -0.0, fold=1)
    logged(trace, "accuracy", 0, math.inf)
    found = final_metrics(trace.stream)
    assert found == {"loss": {0: 0.1 + 0.2, 1: 0.0}, "accuracy": {0: math.inf}}
    assert math.copysign(1, found["loss"][1]) == -1


def test_the_last_step_counts_whichever_table_it_is_in(tmp_path):
    trace = Trace(tmp_path)
    logged(trace, "loss", 0, 1.0, key="a")
    logged(trace, "loss", 1, 2.0, key="b")
    logged(trace, "loss", 2, 3.0, key="a")
    assert final_metrics(trace.stream) == {"loss": {0: 3.0}}


def test_a_metric_without_a_value_is_none(tmp_path):
    columns = [Column("metric", "loss", kind="value")]
    assert final_metrics(Trace(tmp_path).rows("t", columns=columns).stream) == {}
