"""Nothing of ours brings a framework into a process that did not ask for one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import environment
from seedproof.cli import VERBS

FRAMEWORKS = {"tensorflow", "keras", "torch", "jax", "sklearn"}
HEAVY = FRAMEWORKS | {"numpy", "scipy", "rich"}
LOADED = "import sys, json; print(json.dumps(sorted(n for n in sys.modules if '.' not in n)))"


def loaded_after(program: str, cwd=None) -> set[str]:
    """The top-level modules of a process that ran `program`, whose output is put aside."""
    text = f"import os, sys\nsys.stdout = open(os.devnull, 'w')\n{program}\n"
    text += f"sys.stdout = sys.__stdout__\n{LOADED}"
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_is_light():
    assert not loaded_after("import seedproof") & HEAVY


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_is_light(verb):
    program = f"from seedproof.cli import main\ntry: main([{verb!r}, '--help'])\n"
    program += "except SystemExit: pass"
    assert not loaded_after(program) & HEAVY


def test_what_is_loaded_would_be_seen():
    assert "numpy" in loaded_after("import numpy") & HEAVY


def test_the_parent_of_a_check_loads_no_framework(tmp_path):
    (tmp_path / "train.py").write_text("import seedproof, numpy\nseedproof.record('w', [1.5])\n")
    program = "from seedproof.cli import main\n"
    program += f"assert main(['check', '--python', {sys.executable!r}, 'train.py']) == 0"
    assert not loaded_after(program, tmp_path) & FRAMEWORKS


def script_output(seedproof, script, text: str) -> list[str]:
    """What a script printed in a recorded run."""
    name = script(text + "\nimport seedproof; seedproof.record('one', 1)\n")
    seedproof.check("--runs", "2", name)
    (check,) = (seedproof.directory / ".seedproof" / "checks").iterdir()
    return (check / "as-is" / "0" / "stdout.log").read_text().splitlines()


def test_a_script_without_a_framework_stays_without(seedproof, script):
    (line,) = script_output(seedproof, script, LOADED)
    assert not set(json.loads(line)) & HEAVY


def test_a_script_that_imports_one_has_it(seedproof, script):
    (line,) = script_output(seedproof, script, f"import numpy\n{LOADED}")
    assert set(json.loads(line)) & HEAVY == {"numpy"}


def test_nothing_of_ours_is_on_the_path_of_a_script(seedproof, script):
    (line,) = script_output(
        seedproof, script, "import sys, json; print(json.dumps([sys.path, sys.argv]))"
    )
    path, argv = json.loads(line)
    plain = subprocess.run(
        [sys.executable, "train.py"],
        cwd=seedproof.directory,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [path, argv] == json.loads(plain.stdout.splitlines()[0])


def test_the_users_own_sitecustomize_runs(seedproof, script, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins; builtins.own_was_here = True\n")
    name = script("import seedproof; seedproof.record('w', 1)\nassert own_was_here\n")
    result = seedproof.check("--runs", "2", name, PYTHONPATH=str(own))
    assert result["verdict"] == "identical"


def test_a_second_process_is_compared_too(seedproof, script):
    child = "import seedproof; seedproof.record('order', str({'a', 'b', 'c', 'd', 'e'}))"
    name = script(
        "import subprocess, sys, seedproof\nseedproof.record('w', 1)\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"
    )
    result = seedproof.check("--runs", "4", name)
    assert (result["verdict"], result["exit"]) == ("diverged", 1)
    assert result["arms"][0]["divergence"]["stream"] == "main/-c"
    assert seedproof.check("--runs", "2", "--pin", "hash_seed", name)["verdict"] == "identical"
