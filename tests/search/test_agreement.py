"""What counts as evidence.

Runs that agree by luck just when a test wants it cannot be had, so these come to what they are told
to; real ones are in tests/cli/test_explain.py.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from seedproof.compare.divergence import Divergence
from seedproof.search import groups
from seedproof.search.evidence import Evidence
from seedproof.search.groups import Groups

PLACE = Divergence(0, "update", "weights", "bits", "weights")


@dataclass(frozen=True)
class Run:
    """Stands for a recorded run: `result` is what it came to."""

    result: int
    directory: Path


class Trial:
    def __init__(self, name, results):
        self._runs = [Run(result, Path(f"{name}/{at}")) for at, result in enumerate(results)]

    def runs(self):
        return self._runs

    def groups(self, place):
        return Groups(place, self._runs)

    def parts_at(self, place):
        return len(self.groups(place).sizes) > 1

    def agrees(self, place):
        return not self.parts_at(place)


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(groups, "part", lambda one, other, _: one.result != other.result)
    return []


@pytest.fixture
def new(told):
    """Evidence where runs with `cause` pinned agree, and others come to what `results` says."""

    def make(cause, *results):
        asked = []

        def tried(names, runs):
            asked.append((tuple(names), runs))
            return Trial("pinned", [0] * runs if cause in names else results[:runs])

        return Evidence(tried, PLACE, told.append), asked

    return make


def test_two_runs_answer_where_all_part(new):
    found, asked = new("clock", 1, 2, 3)
    found.release(Trial("released", [1, 2]))
    assert found.agree(["clock"])
    assert asked == [(("clock",), 2)]


def test_where_released_runs_agree_more_are_asked_and_it_is_said(new, told):
    found, asked = new("clock", 1, 1, 1, 2, 3, 4)
    found.release(Trial("released", [1, 1, 2]))
    assert not found.agree(["seeds"])
    assert found.agree(["clock"])
    assert [runs for _, runs in asked] == [2, 4, 2, 4, 8, 9]
    assert "each pin is tried with 9 runs" in told[0]


def test_what_two_runs_made_of_luck_is_found_out_by_more(new):
    found, _ = new("clock", 1, 1, 1, 2, 3, 4)
    found.release(Trial("released", [1, 2, 3, 4]))
    assert found.agree(["seeds"])
    found.be_sure()
    assert not found.agree(["seeds"])
    assert found.agree(["clock"])
    assert (found.is_sure(), found.pinned.runs) == (True, 4)


def test_what_was_chosen_by_many_runs_is_confirmed_by_as_many_others(new, told):
    found, asked = new("clock", 1, 1, 1, 1, 1, 1, 2, 3)
    found.release(Trial("released", [1, 1, 2, 3]))
    assert found.agree(["seeds"])
    found.be_sure()
    assert not found.agree(["seeds"])
    assert found.agree(["clock"])
    assert [runs for _, runs in asked] == [2, 4, 6, 2, 4, 8, 2, 4, 8, 11]
    assert found.pinned.runs == 11
    assert [line.split("tried with ")[1].split(",")[0] for line in told] == ["6 runs", "11 runs"]


@pytest.mark.parametrize(
    ("results", "lacking"), [([1, 2], 0), ([1, 1], 6), ([1, 1, 2, 3], 4), ([1] * 9, 0)]
)
def test_how_often_runs_agree_is_seen_from_eight_where_any_do(new, results, lacking):
    found, _ = new("clock")
    found.release(Trial("released", results))
    assert found.lacks_released() == lacking


def test_what_parts_with_more_pinned_is_not_asked_with_less(new):
    found, asked = new("clock", 1, 2)
    assert not found.agree(["seeds", "aslr"])
    assert not found.agree(["seeds"])
    assert len(asked) == 1


def test_runs_part_again_only_once_they_were_pinned(new):
    found, _ = new("clock", 1, 2)
    found.agree(["seeds"])
    assert not found.was_released_again(["clock"])
    found.agree(["clock", "aslr"])
    assert not found.was_released_again(["clock"])
    found.agree(["aslr"])
    assert found.was_released_again(["clock"])


def test_a_run_is_counted_once(new):
    found, _ = new("clock")
    found.release(Trial("released", [1, 2]))
    found.release(Trial("released", [1, 2, 3]))
    assert found.unpinned.runs == 3
