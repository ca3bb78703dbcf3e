"""Interpreters of another environment than seedproof's own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest
from whole_checks import DRAWN, STEADY

from conftest import Command

SEES = "import importlib.util\nassert importlib.util.find_spec({name!r}) {means}\n"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A virtual environment with nothing in it."""
    place = tmp_path_factory.mktemp("environments") / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A virtual environment with this one's packages, without what their `.pth` files add."""
    place = tmp_path_factory.mktemp("environments") / "furnished"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


def python_of(environment):
    return str(environment / "bin" / "python")


@pytest.mark.parametrize(("program", "verdict"), [(STEADY, "identical"), (DRAWN, "diverged")])
def test_an_environment_with_nothing_in_it_is_recorded(seedproof, script, bare, program, verdict):
    name = script(SEES.format(name="numpy", means="is None") + program)
    found = seedproof.check("--runs", "2", "--python", python_of(bare), name)
    assert found["verdict"] == verdict
    assert found["command"][0] == python_of(bare)
    assert found["arms"][0]["environment"]["executable"] == python_of(bare)


def test_the_active_environment_is_taken(script, bare, tmp_path):
    done = Command(tmp_path)(*("check", "--runs", "2", script(STEADY)), VIRTUAL_ENV=str(bare))
    assert done.status == 0
    assert done.err.startswith(f"running {python_of(bare)} train.py\n")


def test_our_packages_do_not_come_in_with_us(seedproof, script, bare):
    name = script("import seedproof\nseedproof.record('one', 1)\nimport rich\n")
    found = seedproof.check("--runs", "2", "--python", python_of(bare), name)
    assert found["exit"] == 4


@pytest.mark.parametrize(("seed", "verdict"), [("0", "identical"), ("", "diverged")])
def test_frameworks_of_another_environment_are_observed(
    seedproof, script, furnished, seed, verdict
):
    pytest.importorskip("sklearn")
    name = script(f"""
import numpy
from sklearn.linear_model import SGDClassifier
generator = numpy.random.default_rng(1)
seed = numpy.random.default_rng({seed}).integers(1000)
SGDClassifier(random_state=int(seed)).fit(generator.random((40, 3)), [0, 1] * 20)
""")
    found = seedproof.check("--runs", "2", "--python", python_of(furnished), name)
    assert found["verdict"] == verdict
    assert any(one.startswith("scikit-learn ") for one in found["arms"][0]["frameworks"])


@pytest.mark.parametrize(("value", "expected"), [("7", 0), ("id(object())", 1)], ids=["7", "id"])
def test_files_of_an_environment_without_a_recording_are_compared(
    seedproof, script, bare, value, expected
):
    name = script(f"open('weights.bin', 'wb').write(str({value}).encode())\n")
    target = ("--", python_of(bare), "-I", "-S", name)
    assert seedproof.check("--runs", "2", "--outputs", "*.bin", *target)["exit"] == expected
