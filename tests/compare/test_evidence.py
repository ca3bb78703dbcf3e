"""What identical runs prove: against simulation and the exact binomial, and the words for it."""

import numpy as np
import pytest
from scipy import stats

from seedproof.compare.evidence import (
    evidence_sentence,
    max_divergence_probability,
    missed_probability,
)


@pytest.mark.parametrize("runs", [2, 3, 10, 60, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_bound_is_the_exact_binomial_one(runs, confidence):
    interval = stats.binomtest(0, runs - 1, alternative="less").proportion_ci(confidence)
    assert max_divergence_probability(runs, confidence) == pytest.approx(interval.high, rel=1e-9)


def test_the_bound_for_the_article_s_ten_runs_is_below_29_percent():
    assert max_divergence_probability(10) == pytest.approx(0.28313, abs=1e-5)


@pytest.mark.parametrize("runs", [0, 1])
def test_there_is_no_bound_without_a_comparison(runs):
    assert max_divergence_probability(runs) is None


@pytest.mark.parametrize("confidence", [0, 1, -0.1, 95])
def test_a_confidence_lies_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="confidence"):
        max_divergence_probability(3, confidence)


def test_the_bound_is_the_rate_that_is_missed_with_the_remaining_probability():
    for runs in range(2, 40):
        bound = max_divergence_probability(runs, 0.9)
        assert missed_probability(bound, runs) == pytest.approx(0.1)


def test_a_fault_in_every_second_run_is_missed_by_a_quarter_of_checks_of_three():
    assert missed_probability(1 / 2, 3) == 0.25
    assert missed_probability(1 / 2, 10) == pytest.approx(0.002, abs=1e-4)


def test_missed_probability_is_what_simulated_checks_miss():
    struck = np.random.default_rng(0).random((100_000, 5)) < 0.3
    missed = (~struck[:, 1:]).all(axis=1).mean()
    assert missed_probability(0.3, 5) == pytest.approx(missed, abs=0.005)


def test_the_ends_of_missed_probability():
    assert missed_probability(0, 100) == 1
    assert missed_probability(1, 2) == 0
    assert missed_probability(1, 1) == 1


@pytest.mark.parametrize(("rate", "runs"), [(-0.1, 3), (1.1, 3), (0.5, 0)])
def test_missed_probability_refuses_what_is_no_rate_or_no_check(rate, runs):
    with pytest.raises(ValueError, match=r"rate is|runs;"):
        missed_probability(rate, runs)


def test_the_sentence_for_three_runs():
    assert evidence_sentence(3) == (
        "3 identical runs mean, at 95% confidence, that another run differs with probability at "
        "most 78%: a fault that strikes every second run would have been missed in 25% of such "
        "checks; with --runs 10 in 0.2%."
    )


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (2, "at most 95%: a fault that strikes every second run would have been missed in 50%"),
        (10, "at most 29%: a fault that strikes every tenth run would have been missed in 39%"),
        (100, "at most 3%: a fault that strikes every hundredth run would have been missed in 37%"),
        (1000, "every thousandth run would have been missed in 37%"),
    ],
)
def test_the_sentence_names_the_commonest_fault_that_would_be_missed(runs, words):
    assert words in evidence_sentence(runs)


def test_the_sentence_advises_more_runs_than_there_were():
    for runs in (*range(2, 200), 459, 460, 4603):
        advised = int(evidence_sentence(runs).partition("--runs ")[2].split()[0])
        assert advised > runs


def test_the_sentence_ends_with_the_bound_where_nothing_likely_is_missed():
    assert evidence_sentence(10_000).endswith("with probability at most 0.03%.")


def test_no_shown_bound_is_below_the_true_one():
    for runs in range(2, 300):
        shown = evidence_sentence(runs).partition("at most ")[2].partition("%")[0]
        assert float(shown) / 100 >= max_divergence_probability(runs) - 1e-12


def test_a_single_run_says_nothing():
    assert "nothing about repeating" in evidence_sentence(1)
