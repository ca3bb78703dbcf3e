"""`seedproof explain`: the cause is named, with its line, its proof and its fix."""

import json
import re

import pytest

VOCABULARY = """
import seedproof
words = {"the", "cat", "sat", "on", "a", "mat"}
numbers = {word: number for number, word in enumerate(words)}
seedproof.record("numbers", numbers)
"""
ENTROPY = """
import numpy as np
import seedproof
generator = np.random.default_rng()
seedproof.record("noise", generator.random(3))
"""
BOTH = VOCABULARY + ENTROPY
STRIKES_ANYWHERE = """
import os
import seedproof
strikes_at = os.urandom(1)[0] % 40
for step in range(40):
    seedproof.record("weight", float(step == strikes_at), step=step)
"""
AGREES_BY_LUCK = """
import seedproof
seedproof.record("fold", hash("patient") % 3)
"""
PARTS_BY_CHANCE = """
import os
import seedproof
seedproof.record("x", os.getpid() % 5 == 0)
"""
LISTING = """
import os
import seedproof
os.makedirs("data", exist_ok=True)
for name in "cab":
    open(f"data/{name}", "w").close()
seedproof.record("files", os.listdir("data"))
"""


def explained(seedproof, *arguments):
    done = seedproof("explain", "--json", "-", *arguments)
    result = json.loads(done.out)
    assert result["exit"] == done.status
    return result


@pytest.mark.parametrize(("text", "source"), [(VOCABULARY, "hash_seed"), (ENTROPY, "entropy")])
def test_a_cause_is_proved_by_pinning_and_releasing_it(seedproof, script, text, source):
    result = explained(seedproof, script(text))
    assert (result["schema"], result["verdict"], result["exit"]) == (
        "seedproof.explain/1",
        "diverged",
        1,
    )
    (cause,) = result["causes"]
    assert (cause["source"], cause["status"]) == (source, "proved")
    assert cause["unpinned_diverged"] == cause["unpinned_runs"] >= 4
    assert cause["pinned_identical"] == cause["pinned_runs"] >= 3
    assert result["runs"] <= 12


def test_a_cause_that_strikes_now_here_now_there_is_proved(seedproof, script):
    name = script(STRIKES_ANYWHERE)
    for _ in range(16):  # of two searches, one meets runs that part later than the first two
        found = explained(seedproof, name)
        (cause,) = found["causes"]
        assert (cause["source"], cause["status"]) == ("entropy", "proved")
        if found["moves"]:
            break
    assert re.fullmatch(
        r"the step moves from run to run: \d+ of (4|8|16) part up to step \d+", found["moves"]
    )


def test_runs_that_agree_by_luck_prove_nothing(seedproof, script):
    """Of three runs one is like the first, with any other pin too."""
    name = script(AGREES_BY_LUCK)
    for _ in range(3):
        result = explained(seedproof, "--runs", "6", name)
        (cause,) = result["causes"]
        assert (cause["source"], cause["status"], cause["varied"]) == ("hash_seed", "proved", False)


def test_what_parts_now_and_then_is_no_matter_of_what_was_varied(seedproof, script):
    found = explained(seedproof, script(PARTS_BY_CHANCE))
    assert [cause["source"] for cause in found["causes"] if cause["status"] == "proved"] == []


@pytest.fixture
def counting(script, tmp_path_factory):
    """A script that records `value` of the number of its run: they are counted in a place that all
    of them share."""

    def write(value):
        counted = tmp_path_factory.mktemp("shared") / "runs"
        return script(
            f"import seedproof\nwith open({str(counted)!r}, 'a') as file:\n    file.write('x')\n"
            f"    run = file.tell()\nseedproof.record('x', {value})"
        )

    return write


def test_two_pairs_that_part_by_chance_do_not_make_few_runs_enough(seedproof, counting):
    """Both pairs that nothing is pinned in part, and of those that follow hardly any."""
    found = explained(seedproof, counting("run in (1, 7) or (run > 20 and run % 29 == 0)"))
    assert (found["verdict"], found["causes"]) == ("diverged", [])


def test_what_strikes_too_seldom_to_try_a_pin_is_said(seedproof, counting):
    """Only the first two runs part."""
    result = explained(seedproof, counting("run if run < 3 else 0"))
    assert (result["verdict"], result["causes"]) == ("diverged", [])
    assert result["remains"] == (
        "they part too seldom to try any pin: of 16 more runs, which went further, none did"
    )


def test_files_that_no_pin_makes_the_same_have_no_cause(seedproof, script):
    name = script("import time\nopen('out.txt', 'w').write(str(time.perf_counter_ns()))")
    result = explained(seedproof, "--outputs", "out.txt", name)
    assert (result["verdict"], result["causes"]) == ("diverged", [])
    assert "before out.txt is made" in result["remains"]


def test_files_that_a_pin_makes_the_same_have_a_cause(seedproof, script):
    name = script("open('out.txt', 'w').write(str(hash('word')))")
    (cause,) = explained(seedproof, "--outputs", "out.txt", name)["causes"]
    assert (cause["source"], cause["status"]) == ("hash_seed", "proved")


def test_the_line_that_used_the_source_is_named(seedproof, script):
    result = explained(seedproof, script(ENTROPY))
    assert result["causes"][0]["line"].endswith("train.py:4")


def test_causes_are_found_one_after_the_other(seedproof, script):
    name = script(BOTH)
    assert [one["source"] for one in explained(seedproof, name)["causes"]] == ["hash_seed"]
    found = explained(seedproof, "--all", name)
    assert {one["source"] for one in found["causes"]} == {"hash_seed", "entropy"}


def test_what_only_another_machine_would_part_is_found_by_varying(seedproof, script):
    result = explained(seedproof, script(LISTING))
    assert (result["verdict"], result["exit"]) == ("identical", 0)
    (cause,) = result["causes"]
    assert (cause["source"], cause["status"], cause["varied"]) == ("file_order", "proved", True)
    assert cause["line"].endswith("train.py:7")


def test_a_listing_that_is_sorted_at_once_is_not_named(seedproof, script):
    name = script(LISTING + "seedproof.record('sorted', sorted(os.listdir('data')))\n")
    (cause,) = explained(seedproof, name)["causes"]
    assert [line.rpartition("/")[2] for line in cause["lines"]] == ["train.py:7"]
    assert (cause["pinned_identical"], cause["pinned_runs"]) == (2, 2)


def test_what_comes_from_all_variables_is_named_once(seedproof, script):
    """Whatever changes a variable parts such a script; it does not part by being observed."""
    name = script("import os, seedproof\nseedproof.record('x', str(sorted(os.environ.items())))")
    result = explained(seedproof, name)
    (cause,) = result["causes"]
    assert (cause["source"], cause["status"], cause["varied"]) == ("environment", "proved", True)
    assert cause["line"].endswith("train.py:2")
    assert {"hash_seed", "locale", "home", "working_dir"} <= set(result["hidden"])
    assert result["runs"] <= 12
    told = " ".join(seedproof("explain", name).out.split())
    assert "not told apart from it: hash_seed, num_threads, " in told
    assert told.count("why: ") == 1


def test_a_script_without_fault_has_no_cause(seedproof, script):
    result = explained(seedproof, script(LISTING.replace("os.listdir", "sorted")))
    assert (result["verdict"], result["causes"]) == ("identical", [])


def test_what_no_pin_reaches_is_said(seedproof, script):
    name = script("import ctypes, seedproof\nx = ctypes.c_uint64()\n"
                  "ctypes.CDLL(None).getrandom(ctypes.byref(x), 8, 0)\n"
                  "seedproof.record('x', x.value)\n")  # fmt: skip
    result = explained(seedproof, name)
    assert (result["verdict"], result["causes"]) == ("diverged", [])
    assert "no pin reaches" in result["remains"]


def test_the_answer_stands_in_its_order(seedproof, script):
    lines = seedproof("explain", script(ENTROPY)).out.splitlines()
    heads = [line.split(":")[0] for line in lines if line and not line.startswith(" ")]
    assert heads[:6] == ["DIVERGED", "where", "why", "proof", "fix", "to confirm"]
    confirm = next(line for line in lines if line.startswith("to confirm"))
    assert confirm == "to confirm: seedproof check --pin entropy train.py"


def test_nothing_to_look_at_is_said(seedproof, script):
    done = seedproof("explain", script("print(1)"))
    assert done.status == 5
    assert "seedproof.record" in done.out


def test_a_script_that_fails_is_not_explained(seedproof, script):
    done = seedproof("explain", script("raise ValueError('too small')"))
    assert done.status == 4
    assert "ValueError: too small" in done.err
