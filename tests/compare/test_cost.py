"""What a policy costs: against SciPy, and where there is nothing to tell."""

import math

import numpy as np
import pytest
from scipy import stats

from seedproof.compare.cost import cost

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("pairs", [2, 3, 10])
def test_the_interval_is_student_s_for_the_logarithms_of_the_ratios(pairs):
    ours, theirs = GENERATOR.uniform(1, 2, (2, pairs))
    found = cost("deterministic", ours.tolist(), "seeded", theirs.tolist())
    test = stats.ttest_1samp(np.log(ours / theirs), 0)
    assert found.ratio == pytest.approx(stats.gmean(ours / theirs))
    assert (found.low, found.high) == pytest.approx(np.exp(test.confidence_interval(0.95)))
    assert (found.policy, found.baseline, found.pairs) == ("deterministic", "seeded", pairs)


def test_a_cost_that_is_the_same_in_every_pair_is_certain():
    found = cost("a", [2, 4, 8], "b", [1, 2, 4])
    assert (found.low, found.ratio, found.high) == pytest.approx((2, 2, 2))


def test_the_other_way_round_it_is_the_inverse():
    there, back = cost("a", [3, 5], "b", [2, 4]), cost("b", [2, 4], "a", [3, 5])
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))


def test_what_slows_both_runs_of_a_pair_does_not_count():
    even = cost("a", [2, 2, 2], "b", [1, 1, 1])
    drifting = cost("a", [2, 20, 200], "b", [1, 10, 100])
    assert drifting.ratio == pytest.approx(even.ratio)
    assert drifting.high == pytest.approx(even.high)


def test_a_single_pair_has_no_interval():
    found = cost("a", [3], "b", [2])
    assert (found.ratio, found.low, found.high) == (pytest.approx(1.5), None, None)


def test_a_repeated_measurement_falls_into_the_interval_as_often_as_it_says():
    logs = GENERATOR.normal(math.log(1.3), 0.2, (2000, 3))
    found = [cost("a", np.exp(row).tolist(), "b", [1] * 3) for row in logs]
    assert np.mean([one.low < 1.3 < one.high for one in found]) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("ours", "theirs"), [([], []), ([1], []), ([1], [1, 2]), ([0], [1]), ([1], [0]), ([-1], [1])]
)
def test_what_is_no_pair_of_times_is_refused(ours, theirs):
    with pytest.raises(ValueError, match=r"pairs of times|zip"):
        cost("a", ours, "b", theirs)
