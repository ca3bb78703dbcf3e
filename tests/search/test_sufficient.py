"""Which pins keep runs together, and how many questions it takes to know."""

import pytest

from seedproof.search.sufficient import sufficient
from seedproof.search.suspects import Suspects, suspects

ANY = suspects([], False, ())
MOST_QUESTIONS = 4  # of two runs each, of any that is likely
MOST_OF_FOUR = 3


class Runs:
    """Agree where all of these sources are pinned; counts the questions."""

    def __init__(self, *causes):
        self._causes = set(causes)
        self.asked = []

    def __call__(self, names):
        if set(names) not in self.asked:
            self.asked.append(set(names))
        return self._causes.issubset(names)


@pytest.mark.parametrize("cause", ANY.likely)
def test_one_likely_cause_is_found_with_few_questions(cause):
    runs = Runs(cause)
    assert sufficient(ANY, runs) == [cause]
    assert len(runs.asked) <= MOST_QUESTIONS


@pytest.mark.parametrize("at", range(4))
def test_of_four_that_are_likely_three_questions_tell_one(at):
    names = ("hash_seed", "seeds", "uninitialized_memory", "aslr")
    runs = Runs(names[at])
    assert sufficient(suspects([], False, (), names), runs) == [names[at]]
    assert len(runs.asked) <= MOST_OF_FOUR


def test_what_something_speaks_for_takes_one_question():
    runs = Runs("clock")
    assert sufficient(suspects(["clock"], False, ()), runs) == ["clock"]
    assert len(runs.asked) == 1


def test_a_cause_that_nothing_spoke_for_is_found_too():
    assert sufficient(ANY, Runs("timezone")) == ["timezone"]


@pytest.mark.parametrize("causes", [("hash_seed", "num_threads"), ("seeds", "clock", "home")])
def test_several_that_are_needed_together_are_found_together(causes):
    assert set(sufficient(ANY, Runs(*causes))) == set(causes)


def test_of_two_that_would_do_the_more_specific_one_is_named():
    def silenced_by_either(names):
        return bool({"data_order", "num_threads"}.intersection(names))

    assert sufficient(ANY, silenced_by_either) == ["data_order"]


def test_where_no_pin_helps_none_is_named():
    assert sufficient(ANY, Runs("something else")) == []
    assert sufficient(Suspects((), (), ()), Runs("something else")) == []
