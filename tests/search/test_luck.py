"""How many runs have to agree before it is no luck."""

import random

import pytest

from seedproof.search.luck import LUCK, luck, runs_to_be_sure, share


def test_one_of_three_that_parts_leaves_three_agreeing_runs_to_luck():
    assert luck(share([2, 1]), 3) == pytest.approx(4 / 9)


@pytest.mark.parametrize("groups", [[1, 1], [1, 1, 1, 1], [2, 1], [5, 1], [2, 1, 1]])
def test_so_many_runs_agree_by_luck_in_less_than_5_percent_and_one_less_does_not_do(groups):
    runs = runs_to_be_sure(share(groups))
    assert luck(share(groups), runs) < LUCK <= luck(share(groups), runs - 1)


def test_few_runs_that_all_part_ask_for_more_that_agree_than_many():
    assert runs_to_be_sure(share([1, 1])) > runs_to_be_sure(share([1] * 4))
    assert runs_to_be_sure(share([1] * 9)) == runs_to_be_sure(share([1] * 4)) == 4


def test_where_none_parts_no_number_of_runs_is_enough():
    assert luck(share([4]), runs_to_be_sure(share([4]))) == 1


@pytest.mark.parametrize("chances", [[0.5, 0.5], [0.37, 0.13, 0.1, 0.1, 0.1, 0.1, 0.1], [0.9, 0.1]])
def test_it_is_no_less_than_what_happens(chances):
    generator, tries, runs = random.Random(0), 5000, 4
    drawn = (generator.choices(range(len(chances)), chances, k=runs) for _ in range(tries))
    assert sum(len(set(one)) == 1 for one in drawn) / tries <= luck(max(chances), runs) + 0.02
