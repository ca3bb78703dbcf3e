"""Where our options end and the target begins, and which command a target is."""

from __future__ import annotations

import shutil
import sys

import pytest

from seedproof.cli import options, target
from seedproof.errors import UsageError

DECLARED = (options.RUNS, options.KEEP_GOING, options.JSON)
PYTHON = shutil.which("python3")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A directory with a script, and no active environment."""
    monkeypatch.chdir(tmp_path)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "train.py").touch()


def refused(*words, python=None):
    with pytest.raises(UsageError) as error:
        target.command(words, python)
    return str(error.value)


# -- split -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("train.py", 0),
        ("train.py --runs x -- -m y", 0),
        ("--runs 3 train.py --runs 4", 2),
        ("--runs=3 train.py --help", 1),
        ("--keep-going train.py", 1),
        ("--keep-going --runs 3 -m package.module --json x", 3),
        ("--runs 3 -- torchrun train.py", 2),
        ("--json - train.py", 2),
        ("--runs 3", 2),
        ("", 0),
    ],
)
def test_all_from_the_first_word_that_is_no_option_is_the_targets(words, own):
    words = words.split()
    assert target.split(words, DECLARED) == (words[:own], words[own:])


# -- command -----------------------------------------------------------------------------------


def test_a_script_runs_under_the_chosen_interpreter():
    words = ["train.py", "--runs", "x", "--", "-m", "y"]
    assert target.command(words, sys.executable) == [sys.executable, *words]


def test_a_module_runs_under_the_chosen_interpreter():
    words = ["-m", "package.module", "--json", "-"]
    assert target.command(words, sys.executable) == [sys.executable, *words]


def test_a_script_needs_no_suffix(tmp_path):
    (tmp_path / "training").touch()
    assert target.command(["training"], sys.executable) == [sys.executable, "training"]


def test_a_command_runs_as_it_is():
    assert target.command([PYTHON, "-c", "pass"], None) == [PYTHON, "-c", "pass"]
    assert target.command(["--", PYTHON, "x.py"], None) == [PYTHON, "x.py"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("-m", "-m: found no module after it; type: -m package.module ARGS…"),
        ("--", "--: found no command after it; type: -- COMMAND ARGS…"),
        ("-- no-such-command", "no-such-command: no such command; give its path, or a script.py"),
        ("no.py", "no.py: no such script; give the path of a file, or -m MODULE"),
        ("no-such-thing", "no-such-thing: no such script; give the path of a file, or -m MODULE"),
    ],
)
def test_what_cannot_be_run_is_told_with_the_way_out(words, line):
    assert refused(*words.split()) == line


def test_a_notebook_is_told_what_to_do_instead():
    assert refused("a.ipynb") == (
        "a.ipynb: a notebook cannot be run as it is; type: jupyter nbconvert --to script a.ipynb, "
        "and give the script"
    )


def test_a_directory_is_no_script(tmp_path):
    (tmp_path / "package.py").mkdir()
    assert refused("package.py").startswith("package.py: no such script; ")


def test_a_name_that_is_too_long_is_no_script():
    assert "no such script" in refused("x" * 5000 + ".py")


# -- interpreter -------------------------------------------------------------------------------


def test_the_interpreter_is_that_of_the_active_environment(tmp_path, monkeypatch):
    own = tmp_path / "env" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "env"))
    assert target.interpreter(None) == str(own)


def test_without_an_active_environment_it_is_the_first_on_the_path(monkeypatch, tmp_path):
    assert target.interpreter(None) == PYTHON
    monkeypatch.setenv("PATH", str(tmp_path))
    assert target.interpreter(None) == sys.executable


def test_an_environment_that_is_gone_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "gone"))
    assert target.interpreter(None) == PYTHON


def test_an_interpreter_that_is_none_is_refused():
    assert refused("train.py", python="train.py") == (
        "--python: found 'train.py', which is no program; give its path"
    )
