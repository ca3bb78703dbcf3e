"""Files that a run wrote in the directory itself, found where they are asked for."""

from __future__ import annotations

import json
import os
import sys

import pytest

from processes import wait_for
from seedproof.launch import Launch
from seedproof.runner.local import LocalRunner


@pytest.fixture
def collected(tmp_path):
    """Runs a program in a directory; returns what was kept of what it wrote, and what is gone."""
    (tmp_path / "project").mkdir()
    (tmp_path / "run").mkdir()

    def run(program, *globs):
        command = (sys.executable, "-c", program)
        project = str(tmp_path / "project")
        launch = Launch(command, project, dict(os.environ), collect=globs)
        started = LocalRunner().start(launch, tmp_path / "run")
        assert wait_for(started.finished).returncode == 0
        kept = (tmp_path / "run" / "files").rglob("*")
        files = {str(p.relative_to(tmp_path / "run" / "files")): p for p in kept if p.is_file()}
        told = tmp_path / "run" / "deleted.json"
        return files, json.loads(told.read_text()) if told.exists() else None

    run.project = tmp_path / "project"
    return run


def test_where_nothing_is_asked_for_nothing_is_kept(collected):
    assert collected("open('a', 'w')") == ({}, None)


def test_what_matches_and_was_written_is_copied(collected):
    for name in ("same.npz", "changed.npz", "other.txt"):
        (collected.project / name).write_text("old")
    program = "open('changed.npz', 'w').write('new'); open('new.npz', 'w'); open('other.txt', 'a')"
    files, gone = collected(program, "*.npz")
    assert {name: path.read_text() for name, path in files.items()} == {
        "changed.npz": "new",
        "new.npz": "",
    }
    assert gone == []
    assert (collected.project / "changed.npz").read_text() == "new"


def test_a_file_written_anew_with_the_same_size_and_time_is_seen(collected):
    (collected.project / "a").write_text("old")
    program = "import os\nfound = os.stat('a')\nopen('a', 'w').write('new')\n"
    program += "os.utime('a', ns=(found.st_atime_ns, found.st_mtime_ns))"
    assert collected(program, "a")[0].keys() == {"a"}


def test_directories_below_are_met_as_the_pattern_says(collected):
    program = "import os; os.makedirs('out/deep'); open('out/deep/a', 'w'); open('out.txt', 'w')"
    assert collected(program, "out/**")[0].keys() == {"out/deep/a"}


def test_matching_files_that_are_gone_are_named(collected):
    (collected.project / "a.npz").touch()
    (collected.project / "b.txt").touch()
    assert collected("import os; os.remove('a.npz'); os.remove('b.txt')", "*.npz")[1] == ["a.npz"]
