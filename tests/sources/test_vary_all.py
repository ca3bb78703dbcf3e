"""`--vary all` and `--vary=-SOURCE`: everything that another machine or another day may change."""

from __future__ import annotations

import pytest

from seedproof.checking import plan
from seedproof.cli.values import vary_item
from seedproof.errors import UsageError
from seedproof.sources import CATALOGUE


def varied(*items: str) -> set[str]:
    return {source for run in plan.variations(items, 2) for source in run}


def test_all_varies_every_source_over_all_of_its_values():
    runs = plan.variations(["all"], 2)
    for name, source in CATALOGUE.items():
        assert {run[name] for run in runs} == set(source.variations())


def test_a_source_can_be_left_out_of_all():
    assert varied("all", "-load", "-leftovers") == CATALOGUE.keys() - {"load", "leftovers"}


def test_beside_all_a_source_can_have_values_of_its_own():
    runs = plan.variations(["all", "num_threads=3,5"], 2)
    assert {run["num_threads"] for run in runs} == {3, 5}


def test_nothing_is_left_out_of_what_was_named():
    for items in (["hash_seed", "-hash_seed"], ["all", "load", "-load"], ["-load"]):
        with pytest.raises(UsageError, match=r"^--vary=-(hash_seed|load): it leaves a source out"):
            plan.variations(items, 2)


def test_both_can_be_typed():
    assert [vary_item(text) for text in ("all", "-clock")] == ["all", "-clock"]


@pytest.mark.parametrize("text", ["everything", "-all", "-", "--load", "-load=1,2", "all=1"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(ValueError, match=r"^one of seeds, entropy"):
        vary_item(text)
