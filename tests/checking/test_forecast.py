"""What a check will take, as its watcher says it."""

import pytest

from seedproof.checking.forecast import Forecast, lasting


def said(*progress, runs=3, side_by_side=2):
    forecast = Forecast(runs)
    looks = (forecast.look(steps, planned, side_by_side, now) for steps, planned, now in progress)
    return [line for line in looks if line]


def test_it_is_said_once_after_twenty_steps():
    lines = said((1, 180_000, 0.0), (11, 180_000, 1.5), (21, 180_000, 3.0), (31, 180_000, 4.5))
    (line,) = lines
    assert line == (
        "about 180,000 steps a run will take about 7.5 h, 3 runs about 15 h; "
        "--steps 400 would end each run after about 1 min"
    )


def test_a_short_check_is_not_worth_a_word():
    assert said((1, 400, 0.0), (21, 400, 2.0)) == []


def test_a_training_whose_end_is_not_known_is_told_by_its_step():
    (line,) = said((5, None, 0.0), (25, None, 40.0), (45, None, 80.0))
    assert line == (
        "a step takes about 2 s, and how many there will be is not known; "
        "--steps 30 would end each run after about 1 min"
    )


def test_steps_that_come_all_at_once_divide_by_nothing():
    assert said((100, 200, 1.0), (100, 200, 2.0)) == []


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0123, "12 ms"), (59, "59 s"), (90, "1.5 min"), (5400, "1.5 h")]
)
def test_a_duration_has_the_unit_that_suits_it(seconds, shown):
    assert lasting(seconds) == shown
