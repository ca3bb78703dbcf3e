"""`seedproof sources`: the catalogue, policy by policy, and one source explained."""

from __future__ import annotations

import pytest

from seedproof.cli import main
from seedproof.policies import POLICIES
from seedproof.sources import CATALOGUE


def test_every_source_has_its_line(capsys):
    assert main(["sources"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for source in CATALOGUE.values():
        assert f"{source.id:<22}{source.summary}" in lines
        assert len(f"{source.id:<22}{source.summary}") <= 100


def test_every_policy_says_what_it_pins(capsys):
    assert main(["sources"]) == 0
    flat = " ".join(capsys.readouterr().out.split())
    assert "as-is pins nothing seeded pins seeds, hash_seed deterministic pins seeds, " in flat
    for name, sources in POLICIES.items():
        assert f"{name} pins {', '.join(sources) or 'nothing'} " in flat


@pytest.mark.parametrize("source", CATALOGUE.values(), ids=CATALOGUE)
def test_one_source_is_explained_whole(source, capsys):
    assert main(["sources", source.id]) == 0
    out = capsys.readouterr().out
    flat = " ".join(out.split())
    for text in (source.summary, source.explanation, "Fix: " + source.fix, *source.links):
        assert " ".join(text.split()) in flat


def test_it_says_which_policies_pin_a_source(capsys):
    assert main(["sources", "hash_seed"]) == 0
    assert "Pinned by: seeded, deterministic, portable\n" in capsys.readouterr().out


def test_an_unknown_source_is_told_with_the_one_that_was_meant(capsys):
    assert main(["sources", "hashseed"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(
        "seedproof: hashseed: no such source (did you mean hash_seed?); there are seeds, "
    )
    assert captured.err.count("\n") == 1
