"""The directories in which views lie while they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedproof.runner import places
from seedproof.runner.private.scratch import PREFIX, Scratch, new_name, sweep

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such locks")

HOLD = """
import sys
from seedproof.runner.private.scratch import Scratch
scratch = Scratch(sys.argv[1], 'held')
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path):
    """A process that holds a scratch directory until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_living_process_holds_stays(held, tmp_path):
    sweep(str(tmp_path))
    assert (tmp_path / (PREFIX + "held")).exists()


def test_what_a_killed_one_has_left_goes(held, tmp_path):
    held.kill()
    held.wait()
    sweep(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_is_just_being_made_stays_and_goes_when_it_is_old(tmp_path):
    unlocked = tmp_path / (PREFIX + "unlocked")
    unlocked.mkdir()
    sweep(str(tmp_path))
    assert unlocked.exists()
    os.utime(unlocked, (0, 0))
    sweep(str(tmp_path))
    assert not unlocked.exists()


def test_nothing_of_anyone_else_is_touched(tmp_path):
    for name in ("other", PREFIX.rstrip("-")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / (PREFIX + "link")).symlink_to(tmp_path / "other")
    (tmp_path / (PREFIX + "file")).touch()
    sweep(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_place_that_is_not_there_holds_nothing(tmp_path):
    sweep(str(tmp_path / "nowhere"))


def test_only_its_owner_sees_into_it_and_what_it_holds_goes_whatever_its_modes(tmp_path):
    scratch = Scratch(str(tmp_path / "place"), new_name())
    assert Path(scratch.path).stat().st_mode & 0o777 == 0o700
    made = Path(*scratch.make("made"))
    (made / "shut").mkdir()
    (made / "shut").chmod(0)
    made.chmod(0)
    scratch.remove()
    assert list((tmp_path / "place").iterdir()) == []


def test_views_lie_outside_of_the_directory_first_where_the_runs_are(tmp_path, monkeypatch):
    project, runs, caches = (tmp_path / name for name in ("project", "project/runs", "caches"))
    monkeypatch.setattr(places.tempfile, "tempdir", str(project / "tmp"))
    found = places.outside(project, runs, {"XDG_CACHE_HOME": str(caches)})
    assert found == [caches / "seedproof", tmp_path]
    assert places.outside(project, tmp_path / "runs", {})[0] == tmp_path / "runs"


def test_a_place_on_the_file_system_of_the_runs_comes_first(tmp_path, monkeypatch):
    caches = tmp_path / "caches"
    device = {tmp_path: 1, tmp_path / "project" / "runs": 1, caches / "seedproof": 2}
    monkeypatch.setattr(places, "_device", lambda place: device.get(place, 2))
    monkeypatch.setattr(places.tempfile, "tempdir", str(tmp_path / "tmp"))
    project = tmp_path / "project"
    found = places.outside(project, project / "runs", {"XDG_CACHE_HOME": str(caches)})
    assert found == [tmp_path, caches / "seedproof", tmp_path / "tmp"]
