"""Which files a pattern names."""

import pytest

from seedproof.compare.files.globs import parse
from two_runs import TwoRuns

FILES = (
    "a.pt",
    "B.pt",
    "out/a.pt",
    "out/log.txt",
    "out/deep/er/c.pt",
    ".hidden",
    "out/.git/config",
)


@pytest.fixture
def runs(tmp_path):
    return TwoRuns(tmp_path).both(*FILES)


@pytest.mark.parametrize(
    ("glob", "named"),
    [
        ("a.pt", ["a.pt"]),
        ("./a.pt", ["a.pt"]),
        ("*.pt", ["B.pt", "a.pt"]),
        ("?.pt", ["B.pt", "a.pt"]),
        ("[ab].pt", ["a.pt"]),
        ("b.pt", []),
        ("out", []),
        ("out/*", ["out/a.pt", "out/log.txt"]),
        ("out/**", ["out/a.pt", "out/deep/er/c.pt", "out/log.txt"]),
        ("out/", ["out/a.pt", "out/deep/er/c.pt", "out/log.txt"]),
        ("**/*.pt", ["B.pt", "a.pt", "out/a.pt", "out/deep/er/c.pt"]),
        ("**", ["B.pt", "a.pt", "out/a.pt", "out/deep/er/c.pt", "out/log.txt"]),
        ("out/**/c.pt", ["out/deep/er/c.pt"]),
        ("out/**/**/a.pt", ["out/a.pt"]),
        ("**/er/**", ["out/deep/er/c.pt"]),
        ("*/*/*.pt", []),
    ],
)
def test_a_pattern_names_these(runs, glob, named):
    assert runs.paths(glob) == named


@pytest.mark.parametrize(
    ("glob", "named"),
    [
        (".hidden", [".hidden"]),
        (".*", [".hidden"]),
        ("out/.git/*", ["out/.git/config"]),
        ("**/.git/**", ["out/.git/config"]),
        ("*hidden", []),
        ("[.]hidden", []),
    ],
)
def test_what_is_hidden_must_be_named(runs, glob, named):
    assert runs.paths(glob) == named


def test_a_file_that_two_patterns_name_is_compared_once(runs):
    assert runs.paths("*.pt", "a.*") == ["B.pt", "a.pt"]


@pytest.mark.parametrize(
    "glob", ["/etc/passwd", "~/x", "C:/x", "C:x", "../x", "out/../../x", "", ".", "a\0b"]
)
def test_a_pattern_that_leads_out_is_refused_with_what_is_allowed(glob):
    with pytest.raises(ValueError, match=r"below the working directory, relative.*'out/\*\*'"):
        parse([glob])


def test_many_stars_take_no_time_to_speak_of(tmp_path):
    runs = TwoRuns(tmp_path).both("/".join("a" * 40))
    assert runs.paths("/".join(["**", "a"] * 15 + ["b"])) == []
