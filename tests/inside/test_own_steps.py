"""The steps of a script without an optimizer: told by its own records."""

import pytest

from seedproof.inside.own_steps import OwnSteps


def steps(*names):
    own = OwnSteps()
    return [own.of(*(name if isinstance(name, tuple) else (name, None))) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("aaa", [0, 1, 2]),
        ("abc", [0, 0, 0]),
        ("ababab", [0, 0, 1, 1, 2, 2]),
        ("aabab", [0, 1, 1, 2, 2]),
        ("aaab", [0, 1, 2, 2]),
        ("abba", [0, 0, 1, 1]),
    ],
)
def test_a_step_begins_where_a_name_comes_again(names, expected):
    assert steps(*names) == expected


def test_a_step_that_the_script_names_is_taken():
    assert steps(("a", 7), ("b", 7), "a", "b", ("a", 3), "c") == [7, 7, 8, 8, 3, 8]


def test_a_name_with_a_step_counts_like_one_without():
    assert steps("a", ("b", 0), "b", "a") == [0, 0, 1, 1]


def test_nothing_is_begun_before_the_first_record():
    own = OwnSteps()
    assert own.begun == 0
    own.of("a", 4)
    assert own.begun == 5
