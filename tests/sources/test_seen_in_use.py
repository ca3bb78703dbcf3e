"""Uses of sources, in words, and those that cannot change a result."""

from __future__ import annotations

import pytest

from seedproof.sources import CATALOGUE
from seedproof.sources.uses import in_words, matters


def used(source: str, line: int = 2, file: str = "/project/train.py") -> dict:
    return {"event": "used", "source": source, "file": file, "line": line}


def test_a_use_is_told_with_its_file_and_line():
    assert in_words(used("file_order", 37)) == "train.py:37 lists a directory without sorting"
    assert in_words(used("clock", 4)) == "train.py:4 reads the clock"


def test_sources_whose_use_can_be_seen_say_how_they_are_used():
    seen = {"entropy", "file_order", "clock", "data_order", "load", "environment"}
    assert {name for name, source in CATALOGUE.items() if source.used} == seen


@pytest.mark.parametrize(
    "line",
    [
        "for name in os.listdir('data'): read(name)",
        "names = os.listdir('data')",
        "names = list(glob('*.png')); names.append(1)",
        "names = [f for f in Path('data').iterdir() if f.suffix == '.png']",
    ],
)
def test_a_listing_whose_order_is_kept_matters(line):
    assert matters(used("file_order"), f"import os\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "for name in sorted(os.listdir('data')): read(name)",
        "names = sorted(\n    glob('*.png')\n)",
        "count = len(os.listdir('data'))",
        "names = os.listdir('data')\nnames.sort()",
        "names = os.listdir('data')\nfor name in sorted(names): read(name)",
        "found = sorted(p for p in Path('data').iterdir() if p.is_file())",
    ],
)
def test_a_listing_whose_order_is_lost_does_not(line):
    assert not matters(used("file_order"), f"import os\n{line}\n")


def test_a_sort_of_something_else_is_none_of_the_listing():
    assert matters(used("file_order"), "import os\nnames = os.listdir('data')\nothers.sort()\n")


def test_other_sources_always_matter():
    assert matters(used("clock"), "import time\nprint(sorted([time.time()]))\n")


@pytest.mark.parametrize("text", ["", "def (", "x\0y", "\n" * 3])
def test_a_text_that_says_nothing_excuses_nothing(text):
    assert matters(used("file_order"), text)
