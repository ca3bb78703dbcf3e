"""The least that is needed of a set, with few questions."""

import itertools

import pytest

from seedproof.search.minimal import minimal

NAMES = list("abcdefgh")


def asked(needed, candidates=NAMES):
    """The answer where exactly the sets that hold `needed` suffice, and the questions asked."""
    questions = []

    def suffices(names):
        questions.append(list(names))
        return set(needed) <= set(names)

    return minimal(candidates, suffices), questions


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_is_needed_is_found_whatever_it_is(size):
    for needed in itertools.combinations(NAMES, size):
        assert sorted(asked(needed)[0]) == list(needed)


def test_one_of_many_takes_few_questions():
    assert max(len(asked(name)[1]) for name in NAMES) <= 6


def test_where_either_of_two_suffices_the_first_is_preferred():
    found = minimal(NAMES, lambda names: bool({"b", "g"} & set(names)))
    assert found == ["b"]


def test_a_single_candidate_needs_no_question():
    assert asked("a", ["a"]) == (["a"], [])
