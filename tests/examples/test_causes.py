"""The corpus of causes: of each script the cause is found and proved, and its twin repeats."""

import json
import shutil
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from seedproof.sources import CATALOGUE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as Linux places and lists things")

MOST_RUNS = 12
MOST_CHANGED_LINES = 8
QUICK = (
    "glob_order",
    "results_as_completed",
    "seed_from_the_clock",
    "unseeded_augmentation",
    "vocabulary_from_a_set",
)

WITH_TWO_CAUSES = """
import time
import numpy as np
import seedproof

inputs = np.random.default_rng().normal(size=(20, 3))
seedproof.record("inputs", inputs, phase="data")
weights = np.ones(3) * time.time()
for _ in range(3):
    weights -= 0.01 * inputs.T @ (inputs @ weights)
    seedproof.record("weights", weights, phase="update")
"""

WITHOUT_FAULT = """
import numpy as np
import seedproof

inputs = np.random.default_rng(0).normal(size=(20, 3))
weights = np.ones(3)
for _ in range(3):
    weights -= 0.01 * inputs.T @ (inputs @ weights)
    seedproof.record("weights", weights, phase="update")
"""


def _generator():
    path = Path(__file__).parents[2] / "examples" / "make_causes.py"
    spec = spec_from_file_location("make_causes", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make_causes = _generator()
CORPUS = make_causes.corpus()


def _parameter(example):
    marks = [] if example.name in QUICK else [pytest.mark.slow]
    if find_spec(example.style) is None:
        marks.append(pytest.mark.skip(reason=f"no {example.style}"))
    return pytest.param(example, id=example.name, marks=marks)


each_example = pytest.mark.parametrize("example", [_parameter(one) for one in CORPUS])


@pytest.fixture
def home(tmp_path_factory):
    """A home directory with the settings that one of the scripts reads."""
    place = tmp_path_factory.mktemp("home")
    (place / ".config").mkdir()
    (place / ".config" / "trainer.json").write_text('{"rate": 0.5}')
    return str(place)


@pytest.fixture
def explain(seedproof, home):
    """Explains a script; returns its JSON."""

    def run(*arguments):
        words = ("explain", "--python", sys.executable, "--json", "-", *arguments)
        done = seedproof(*words, HOME=home)
        assert done.status in (0, 1), done.err
        return json.loads(done.out)

    return run


@each_example
def test_its_cause_is_found_and_proved(example, explain, tmp_path):
    shutil.copy(example.place / "faulty.py", tmp_path)
    found = explain("faulty.py")
    assert found["verdict"] == ("identical" if example.varied else "diverged")
    assert _named(found) == {(example.source, "proved", example.varied)}
    assert example.varied or _strikes_now_and_then(found) or found["runs"] <= MOST_RUNS


@each_example
def test_its_twin_repeats(example, seedproof, home, tmp_path):
    shutil.copy(example.place / "mended.py", tmp_path)
    vary = ("--vary", example.source) if example.varied else ()
    result = seedproof.check("--runs", "3", *vary, "mended.py", HOME=home)
    assert result["verdict"] == "identical"


def test_of_two_causes_both_are_named(explain, script):
    found = explain("--all", script(WITH_TWO_CAUSES))
    assert _named(found) == {("entropy", "proved", False), ("clock", "proved", False)}


def test_of_a_script_without_fault_none_is_named(explain, script):
    found = explain(script(WITHOUT_FAULT))
    assert (found["verdict"], found["causes"]) == ("identical", [])


@pytest.mark.parametrize("example", CORPUS, ids=lambda example: example.name)
def test_a_twin_differs_in_what_is_mended_alone(example):
    changed = [line for line in example.change() if line.startswith(("+", "-"))]
    assert 0 < len(changed) <= MOST_CHANGED_LINES


def test_every_source_has_an_example_or_a_reason_for_none():
    shown = {example.source for example in CORPUS}
    assert shown.isdisjoint(make_causes.WITHOUT_EXAMPLE)
    assert shown | set(make_causes.WITHOUT_EXAMPLE) == set(CATALOGUE)


def test_the_page_is_made_from_the_corpus():
    assert make_causes.PAGE.read_text("utf-8") == make_causes.page()


def _strikes_now_and_then(found):
    (cause,) = found["causes"]
    return cause["unpinned_diverged"] < cause["unpinned_runs"]


def _named(found):
    return {(cause["source"], cause["status"], cause["varied"]) for cause in found["causes"]}
