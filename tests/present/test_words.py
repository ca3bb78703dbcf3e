"""Sentences for people, in which a name from a script can do no harm."""

from __future__ import annotations

import math

import pytest

from seedproof.compare.distance import Distance
from seedproof.compare.divergence import Divergence
from seedproof.present.words import apart, shown, where
from seedproof.trace.format import BEFORE_TRAINING, PHASES

CUT = "\N{REPLACEMENT CHARACTER}"


def at(step=3, phase="update", name="dense/kernel", kind="bits", values=None):
    return where(Divergence(step, phase, name, kind, "table", values=values), 2)


# -- where -------------------------------------------------------------------------------------


def test_a_divergence_is_told_by_its_step_its_phase_and_its_name():
    assert at() == "step 3, weights after the update dense/kernel"


def test_before_the_first_update_there_is_no_step():
    assert at(BEFORE_TRAINING, "data", "x") == "before the first step, batch x"


def test_initial_weights_that_are_made_later_are_told_by_the_steps_before_them():
    assert at(2, "init") == "after 2 steps, initial weights dense/kernel"
    assert at(1, "init") == "after 1 step, initial weights dense/kernel"


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_its_words(phase):
    assert at(phase=phase).startswith(("step 3, ", "after 3 steps, "))


def test_a_metric_is_told_with_both_values_in_full():
    assert at(phase="metric", name="loss", values=(0.1, 0.1 + 2**-56)) == (
        "step 3, metric loss: 0.1 against 0.10000000000000002"
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("shape", "another dtype or shape"),
        ("missing", "run 2 lacks it"),
        ("extra", "only run 2 has it"),
        ("layout", "run 2 names its records otherwise"),
    ],
)
def test_what_is_no_difference_of_bits_says_what_it_is(kind, said):
    assert at(kind=kind) == f"step 3, weights after the update dense/kernel: {said}"


def test_a_hostile_name_stays_on_the_line():
    line = at(name="a\nb\x1b[31m\u202e" + "x" * 10_000)
    assert line.startswith(f"step 3, weights after the update a{CUT}b{CUT}[31m{CUT}xxx")
    assert len(line) < 200


# -- apart -------------------------------------------------------------------------------------


def test_a_distance_is_told_with_its_step_and_its_units():
    assert apart(Distance(5, "update", 0.00012345, 17)) == (
        "weights after the update at step 5: up to 0.000123 apart, 17 units in the last place"
    )


def test_a_type_without_last_places_has_none():
    assert apart(Distance(0, "output", 2.0, None)) == "output at step 0: up to 2 apart"


def test_a_distance_that_is_no_number_is_told_as_such():
    assert apart(Distance(-1, "init", math.nan, 1)) == (
        "initial weights at first: up to nan apart, 1 unit in the last place"
    )


# -- shown -------------------------------------------------------------------------------------


def test_a_plain_name_is_shown_as_it_is():
    assert shown("größe/<b>&amp;[bold]") == "größe/<b>&amp;[bold]"


@pytest.mark.parametrize("odd", "\n\r\t\x1b\x00\x7f\x9b\u2028\u202e\u200b\udcff")
def test_a_letter_that_would_move_or_hide_something_is_replaced(odd):
    assert shown(f"a{odd}b") == f"a{CUT}b"


def test_a_long_name_is_cut_where_one_sees_it():
    assert shown("x" * 120) == "x" * 120
    assert shown("x" * 121) == "x" * 119 + "…"
    assert shown("x" * 10, 5) == "xxxx…"
