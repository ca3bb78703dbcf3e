"""`seedproof.init`: in a notebook, say, where nothing could be set before the start."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import environment
from seedproof.trace.reader import main_stream

PACKAGE_PARENT = Path(sys.modules["seedproof"].__file__).parents[1]
SCRIPT = f"""
import sys
sys.path.insert(0, {os.fspath(PACKAGE_PARENT)!r})
import numpy, seedproof
place = seedproof.init()
assert seedproof.init() == place
seedproof.record("w", numpy.arange(3))
print(place)
"""


def started(directory: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", SCRIPT],
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_process_on_its_own_makes_a_run_of_its_own(tmp_path):
    run = Path(started(tmp_path))
    assert run.parent == tmp_path / ".seedproof" / "runs"
    stream = main_stream(run / "trace")
    stream.refresh()
    assert list(stream.tables) == ["output/w#0"]
    assert [event["name"] for event in stream.all("framework")] == ["python", "numpy"]
    assert stream.ended


def test_two_processes_make_two_runs_that_git_does_not_see(tmp_path):
    assert started(tmp_path) != started(tmp_path)
    assert (tmp_path / ".seedproof" / ".gitignore").read_text() == "*\n"


def test_an_isolated_interpreter_takes_part_in_a_check(seedproof, script):
    """`python -I` does not read PYTHONPATH, so the bootstrap cannot load; the script can call."""
    name = script(SCRIPT)
    result = seedproof.check("--runs", "2", "--", sys.executable, "-I", name)
    assert (result["verdict"], result["exit"]) == ("identical", 0)
    assert result["arms"][0]["runs"][0]["records"] == 1
