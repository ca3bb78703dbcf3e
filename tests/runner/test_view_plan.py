"""How a private view is to be had, and where it is not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from users import is_root
from views import for_each

from seedproof.errors import UsageError
from seedproof.runner import survey as survey_module
from seedproof.runner import ways
from seedproof.runner.private import calls
from seedproof.runner.private.scratch import PREFIX
from seedproof.runner.view import how_to_view

who_may_mount = for_each([("overlay", "mount")])
who_may_not = for_each([("copy", "user")])

PLAN = """
import json, sys
from pathlib import Path
from seedproof.runner import ways
from seedproof.runner.view import how_to_view
for name, value in json.loads(sys.argv[3]).items(): setattr(ways, name, value)
plan = how_to_view(Path(sys.argv[1]), Path(sys.argv[2]))
print(json.dumps([plan.way, plan.namespace, plan.notes, plan.place]))
"""


REFUSED = """
import sys
from pathlib import Path
from seedproof.errors import UsageError
from seedproof.runner.view import how_to_view
try: how_to_view(Path(sys.argv[1]), Path(sys.argv[2]))
except UsageError as error: print('--in-place' in str(error))
else: print(False)
"""


@pytest.fixture
def project(tmp_path):
    """A working directory with a place for runs."""
    (tmp_path / "project" / ".seedproof").mkdir(parents=True)
    (tmp_path / "project" / "read.txt").write_text("old\n")
    return tmp_path / "project"


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Nothing can be mounted, and caches and temporary files have a place of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


def view(project, *namespaces):
    return how_to_view(project, project / ".seedproof", namespaces)


def planned(site, **limits):
    """Way, namespace, notes and place of the plan that the user of a site gets."""
    out = site.python(PLAN, str(site.directory), str(site.runs), json.dumps(limits))
    return json.loads(out)


@pytest.mark.parametrize("limits", [{}, {"_SMALL_FILES": 0}])
def test_who_may_mount_gets_an_overlay_that_behaves_as_the_directory(who_may_mount, limits):
    way, namespace, notes, _ = planned(who_may_mount, **limits)
    assert (way, namespace, notes) == ("overlay", "mount", [])


def test_who_may_not_gets_a_copy_of_a_small_directory(who_may_not):
    assert planned(who_may_not)[:3] == ["copy", "user", []]


def test_who_may_not_gets_an_overlay_over_a_large_one_and_is_told_its_limits(who_may_not):
    way, namespace, (note,), place = planned(who_may_not, _SMALL_FILES=0)
    assert (way, namespace) == ("overlay", "user")
    assert "cannot be renamed" in note
    assert not Path(place).is_relative_to(who_may_not.directory)


@pytest.mark.skipif(not is_root(), reason="takes two users")
def test_files_of_others_are_no_matter_for_a_copy_but_for_an_overlay(who_may_not):
    other = who_may_not.write("other.txt")
    os.chown(other, 0, 0)
    assert planned(who_may_not, _SMALL_FILES=0)[:3] == ["copy", "user", []]
    notes = planned(who_may_not, _SMALL_FILES=0, MOST_BYTES=0)[2]
    assert any(str(other) in note and "another user or group" in note for note in notes)


def test_without_mounts_runs_start_in_a_copy_and_that_is_told(project):
    plan = view(project)
    assert (plan.way, plan.namespace, plan.moved) == ("copy", None, True)
    assert plan.notes == ("each run starts in a copy of the directory, under another path",)
    assert plan.place == str(project / ".seedproof")


@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 0), ("MOST_BYTES", 1)])
def test_what_can_neither_be_mounted_nor_copied_is_refused(project, monkeypatch, limit, value):
    monkeypatch.setattr(ways, limit, value)
    with pytest.raises(UsageError, match="too large to be copied: 1 files, 4 bytes") as refused:
        view(project)
    assert "--in-place" in str(refused.value)
    assert refused.value.exit_status == 2


def test_a_full_disk_takes_no_copy(project, monkeypatch):
    monkeypatch.setattr(ways.places, "free_bytes", lambda _: 3)
    with pytest.raises(UsageError, match="at most 200,000 and 3"):
        view(project)


def test_who_counts_stops_at_the_most(project, monkeypatch):
    monkeypatch.setattr(survey_module, "MOST_FILES", 1)
    for name in "abcdef":
        (project / name).touch()
    assert survey_module.survey(str(project), ()).files == 2


def test_environments_are_neither_counted_nor_copied_but_shared(project):
    (project / "env" / "lib").mkdir(parents=True)
    (project / "env" / "pyvenv.cfg").touch()
    (project / "env" / "lib" / "large").write_bytes(b"x" * 100_000)
    plan = view(project)
    assert plan.shared == (str(project / "env"),)
    assert f"{project / 'env'} is not private: what runs write there stays" in plan.notes
    assert survey_module.survey(str(project), plan.shared).bytes == len("old\n")


def test_the_root_directory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--in-place"):
        how_to_view(Path("/"), tmp_path)


def test_a_directory_that_cannot_be_read_is_refused(who_may_not):
    elsewhere = who_may_not.place
    assert who_may_not.python(REFUSED, str(elsewhere), str(elsewhere.parent)) == "False\n"
    elsewhere.chmod(0o300)
    assert who_may_not.python(REFUSED, str(elsewhere), str(elsewhere.parent)) == "True\n"


def test_runs_cannot_be_kept_in_the_directory_itself(project):
    with pytest.raises(UsageError, match="the runs themselves are kept in it"):
        how_to_view(project, project)


def test_runs_may_be_kept_elsewhere(project, tmp_path):
    (tmp_path / "runs").mkdir()
    plan = how_to_view(project, tmp_path / "runs", ())
    assert (plan.hidden, plan.place) == (None, str(tmp_path / "runs"))


def test_planning_leaves_nothing_behind(project, nowhere, tmp_path):
    view(project, *ways.NAMESPACES)
    assert list(tmp_path.rglob(PREFIX + "*")) == []
    assert sorted(path.name for path in project.iterdir()) == [".seedproof", "read.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_what_killed_views_have_left_is_cleared_away_before(project):
    left = project / ".seedproof" / (PREFIX + "0123")
    (left / "tree" / "shut").mkdir(parents=True)
    (left / "tree" / "shut" / "file").touch()
    (left / "tree" / "shut").chmod(0)
    (left / "lock").touch()
    view(project)
    assert not left.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_names_of_mounts_are_read_as_they_are():
    assert calls._unescaped(rb"/a\040b\134c") == "/a b\\c"
    assert "/proc" in calls._mount_points()
    assert "/proc" in calls.mounted_below("/")
    assert "/" not in calls.mounted_below("/")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_of_mounts_in_mounts_only_the_outer_ones_count(monkeypatch):
    places = {"/", "/d", "/d/a", "/d/a-b", "/d/a/c", "/data"}
    monkeypatch.setattr(calls, "_mount_points", lambda: places)
    assert calls.mounted_below("/d") == ["/d/a", "/d/a-b"]
