"""Each source varied in real checks: it reaches the process, shows in what depends on it, and a pin
holds it."""

from __future__ import annotations

import sys

import pytest

from seedproof.sources import CATALOGUE

pytest.importorskip("numpy")

# By source: what depends on it, and the values to vary over.
DEPENDS = {
    "entropy": ("np.random.default_rng().random()", "1,2"),
    "hash_seed": ("str(list({'a', 'b', 'c', 'd', 'e', 'f', 'g'}))", "4,7"),
    "file_order": ("str(os.listdir('data'))", "0,1"),
    "clock": ("time.strftime('%Y-%m-%d')", "2024-02-29,2025-06-15"),
    "aslr": ("str(id(np))", "on,off"),
    "locale": ("os.environ.get('LC_ALL', '')", "C,C.UTF-8"),
    "timezone": ("time.ctime(0)", "UTC,Asia/Kathmandu"),
    "home": ("str(sorted(os.listdir(os.path.expanduser('~'))))", "own,empty"),
    "working_dir": ("os.getcwd()", "own,moved"),
    "environment": ("str(sum(map(len, os.environ.values())) > 3000)", "0,9000"),
    "leftovers": ("str(os.path.exists('checkpoint'))", "none,earlier"),
    "load": ("str(sys.getswitchinterval())", "0,2"),
    "uninitialized_memory": ("np.empty(10**5).tobytes()[0]", "0,63"),
    "data_order": ("str(list(pool.imap_unordered(task, range(2))))", "on,off"),
}
ONLY_LINUX = ("aslr", "load", "uninitialized_memory", "working_dir", "leftovers")
SCRIPT = """
import os, sys, threading, time
from multiprocessing.pool import ThreadPool
import numpy as np
import seedproof
pool, second = ThreadPool(2), threading.Event()
def task(number):
    second.set() if number else second.wait(60)
    return number
seedproof.record("depends", {})
open("checkpoint", "w").close()
"""
pytestmark = pytest.mark.filterwarnings("default")


def arguments(source: str) -> list[str]:
    return ["--vary", f"{source}={DEPENDS[source][1]}"]


@pytest.fixture(autouse=True)
def data(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "data" / name).touch()


@pytest.mark.parametrize("source", DEPENDS)
def test_a_variation_reaches_the_process_and_shows(seedproof, script, source):
    if source in ONLY_LINUX and sys.platform != "linux":
        pytest.skip("Linux has it")
    name = script(SCRIPT.format(DEPENDS[source][0]))
    result = seedproof.check("--keep-going", "--runs", "2", *arguments(source), name)
    (arm,) = result["arms"]
    varied = [run["varied"][source] for run in arm["runs"]]
    assert [one["offered"] for one in varied] == [one["requested"] for one in varied]
    assert result["verdict"] == "diverged"


INSIDE = ("entropy", "file_order", "clock", "timezone", "data_order", "load")
AT_THE_START = ("hash_seed", "locale", "home", "working_dir", "environment", "leftovers")


def all_of(sources: tuple[str, ...]) -> tuple[str, list[str]]:
    """A script that depends on all of these, and the options that vary and pin them."""
    record = "[" + ", ".join(DEPENDS[source][0] for source in sources) + "]"
    varied = [word for source in sources for word in arguments(source)]
    pinned = [word for source in sources for word in ("--pin", source)]
    return SCRIPT.format(record), [*varied, *pinned]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has all of them")
def test_pins_inside_hold_what_varies(seedproof, script):
    text, options = all_of(INSIDE)
    result = seedproof.check("--runs", "2", *options, script(text))
    assert result["verdict"] == "identical"
    assert result["arms"][0]["evidence"]["varied_in_vain"] == []
    for run in result["arms"][0]["runs"]:
        for source, one in run["varied"].items():
            assert one["effective"] == CATALOGUE[source].pinned(0, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has all of them")
def test_pins_at_the_start_overrule_what_varies_and_say_so(seedproof, script):
    text, options = all_of(AT_THE_START)
    result = seedproof.check("--runs", "2", *options, script(text))
    assert result["verdict"] == "identical"
    assert result["arms"][0]["evidence"]["varied_in_vain"] == list(AT_THE_START)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has it")
def test_objects_that_are_ordered_by_their_addresses_come_the_same_once_these_are_pinned(
    seedproof, script
):
    name = script(
        "import seedproof\nclass Sample: pass\nkept = [[0] * n for n in range(50)]\n"
        "samples = {Sample(): n for n in range(60)}\n"
        "seedproof.record('order', str([samples[one] for one in set(samples)]))"
    )
    assert seedproof.check("--runs", "4", name)["verdict"] == "diverged"
    assert seedproof.check("--runs", "4", "--pin", "aslr", name)["verdict"] == "identical"


def test_a_variation_that_nothing_takes_is_no_evidence(seedproof, script):
    """Only a framework has operations to choose from, and a GPU something to tune."""
    name = script("import seedproof; seedproof.record('w', 1)")
    options = ("--vary", "op_determinism", "--vary", "autotune")
    result = seedproof.check("--runs", "2", *options, name)
    assert result["verdict"] == "identical"
    assert result["arms"][0]["evidence"]["varied_in_vain"] == ["op_determinism", "autotune"]


def test_in_place_a_pin_of_leftovers_is_said_to_be_missed(seedproof, script):
    name = script("import seedproof; seedproof.record('w', 1)")
    result = seedproof.check("--runs", "2", "--in-place", "--pin", "leftovers", name)
    missed = [line for one in result["arms"][0]["pinned"] for line in one["missed"]]
    assert missed == ["leftovers: in place, a run finds what the ones before it have left"]
