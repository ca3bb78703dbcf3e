"""Scripts that write, delete and append: each run does what it would do alone."""

from __future__ import annotations

import json

import pytest
from whole_checks import run_directory, verdict_of, written

RESUMES = """
import os, seedproof
start = 0.0
if os.path.exists("checkpoint.pt"):
    with open("checkpoint.pt") as file:
        start = float(file.read())
seedproof.record("start", start)
with open("checkpoint.pt", "w") as file:
    file.write(str(start + 1))
"""
DELETES = (
    "import os, seedproof\nos.remove('old.txt')\nseedproof.record('files', len(os.listdir()))\n"
)
APPENDS = """
import seedproof
with open("log.txt", "a") as file:
    file.write("trained\\n")
with open("log.txt") as file:
    seedproof.record("lines", file.read())
"""
PROGRAMS = {"writes a checkpoint": RESUMES, "deletes a file": DELETES, "appends to a log": APPENDS}

each_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


@pytest.fixture
def users_files(tmp_path):
    """What the user's directory holds, by name."""
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "log.txt").write_text("before\n")

    def read():
        plain = [path for path in tmp_path.iterdir() if path.is_file()]
        return {path.name: (path.read_text(), path.stat().st_mtime_ns) for path in plain}

    return read


@each_program
def test_runs_do_not_see_each_other_and_leave_the_users_files(
    seedproof, script, users_files, program
):
    name = script(program)
    before = users_files()
    assert verdict_of(seedproof, name) == "identical"
    assert users_files() == before


@each_program
def test_in_place_they_do_see_each_other(seedproof, script, users_files, program):
    name = script(program)
    before = users_files()
    assert verdict_of(seedproof, "--in-place", name) != "identical"
    assert users_files() != before


def test_what_a_run_wrote_and_deleted_is_kept_beside_its_trace(seedproof, script, users_files):
    name = script(RESUMES + DELETES + APPENDS)
    users_files()
    assert verdict_of(seedproof, name) == "identical"
    for index in (0, 1):
        kept = written(seedproof.directory, index)
        assert kept == {"checkpoint.pt": "1.0", "log.txt": "before\ntrained\n"}
        deleted = run_directory(seedproof.directory, index=index) / "deleted.json"
        assert json.loads(deleted.read_text()) == ["old.txt"]


@pytest.mark.parametrize(
    ("more", "verdict"), [("1", "identical"), ("os.getpid()", "diverged")], ids=["one", "a pid"]
)
def test_files_are_compared_where_asked_for(seedproof, script, more, verdict):
    name = script(RESUMES + f"open('checkpoint.pt', 'a').write(str({more}))\n")
    assert verdict_of(seedproof, "--outputs", "*.pt", name) == verdict
    assert verdict_of(seedproof, name) == "identical"


def test_a_pattern_that_nothing_met_is_no_evidence(seedproof, script):
    assert seedproof.check("--runs", "2", "--outputs", "*.pth", script(RESUMES))["exit"] == 5
