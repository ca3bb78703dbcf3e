"""What in a directory is not private in its views, and what copies keep."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from views import WAYS, for_each, opened

from seedproof.runner.private.copies import Copy, environments_below

site = for_each(WAYS)
who_may_not = for_each([("copy", "user")])

MOUNT = """
import sys
from seedproof.runner.private import calls
calls.own_mounts(user=False)
calls._mount('tmpfs', {0!r}, 'tmpfs', 0, None)
open({0!r} + '/there', 'w').write('there')
"""
COPY = "from seedproof.runner.private.copies import Copy; Copy('.', '../place', [], [], False)"


@pytest.mark.parametrize("way", [("overlay", "mount"), ("copy", "mount"), ("copy", None)])
def test_what_is_mounted_below_is_there_too(way):
    with opened("overlay", "mount"), opened(*way) as site:
        data = site.directory / "data"
        data.mkdir()
        before = MOUNT.format(str(data))
        program = "print(open('data/there').read()); open('data/new', 'w'); open('own', 'w')"
        ended = site(program, before=before, shared=[str(data)])
        assert ended.out == "there\n", ended.err
        assert ended.files == {"own": ""}


def test_what_is_shared_is_the_same_for_all(site):
    site.write("env/pyvenv.cfg")
    shared = [str(site.directory / "env")]
    site("open('env/new', 'w').write('n'); open('own', 'w')", shared=shared)
    assert (site.directory / "env" / "new").read_text() == "n"
    assert site.started[0].run.joinpath("files", "own").exists()


@pytest.fixture
def copied(tmp_path):
    """Copies a directory, and returns where to."""
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()

    def copy(leave_out=(), shared=(), linked=False):
        source = str(tmp_path / "from")
        Copy(source, str(tmp_path / "to"), leave_out, shared, linked)
        return tmp_path / "to"

    copy.source = tmp_path / "from"
    return copy


def facts(path):
    found = path.lstat()
    return (found.st_mode, found.st_mtime_ns, found.st_size, found.st_uid, found.st_gid)


def test_a_copy_has_the_modes_and_times_of_what_was_copied(copied):
    for name in ("d", "d/e"):
        (copied.source / name).mkdir()
    for name, mode in {"plain": 0o644, "d/run": 0o755, "d/e/set": 0o6711}.items():
        (copied.source / name).write_text(name)
        (copied.source / name).chmod(mode)
        os.utime(copied.source / name, ns=(1_000_000_007, 2_000_000_011))
    (copied.source / "d").chmod(0o555)
    os.utime(copied.source / "d", ns=(3_000_000_003, 4_000_000_001))
    to = copied()
    paths = [path.relative_to(copied.source) for path in copied.source.rglob("*")]
    assert len(paths) == 5
    assert [facts(to / path) for path in paths] == [facts(copied.source / path) for path in paths]


def test_links_stay_links_and_hard_links_hard_links(copied):
    (copied.source / "one").write_text("1")
    os.link(copied.source / "one", copied.source / "two")
    (copied.source / "link").symlink_to("one")
    (copied.source / "dangling").symlink_to("/nowhere")
    to = copied()
    assert (to / "one").samefile(to / "two")
    assert not (to / "one").samefile(copied.source / "one")
    assert (to / "link").readlink() == Path("one")
    assert (to / "dangling").readlink() == Path("/nowhere")


def test_pipes_are_made_anew_and_sockets_left_out(copied):
    os.mkfifo(copied.source / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(copied.source / "socket"))
        to = copied()
    assert [path.name for path in to.iterdir()] == ["pipe"]
    assert stat.S_ISFIFO((to / "pipe").stat().st_mode)


def test_what_is_left_out_is_not_there(copied):
    (copied.source / "runs" / "in").mkdir(parents=True)
    assert list(copied(leave_out=[str(copied.source / "runs")]).iterdir()) == []


def test_what_is_shared_is_linked_to_or_has_an_empty_place(copied):
    (copied.source / "env").mkdir()
    (copied.source / "env" / "in").touch()
    (copied.source / "file").write_text("f")
    shared = [str(copied.source / name) for name in ("env", "file")]
    to = copied(shared=shared)
    assert (list((to / "env").iterdir()), (to / "file").read_text()) == ([], "")
    (to / "env").rmdir()
    (to / "file").unlink()
    copied(shared=shared, linked=True)
    assert (to / "env" / "in").exists()
    assert (to / "file").is_symlink()


def test_what_cannot_be_read_can_still_not_be_read(who_may_not):
    for name in ("file", "d/in"):
        who_may_not.write(name, "content")
    for name in ("file", "d"):
        (who_may_not.directory / name).chmod(0)
    who_may_not.python(COPY)
    copies = [who_may_not.place / name for name in ("file", "d")]
    assert [stat.S_IMODE(copy.stat().st_mode) for copy in copies] == [0, 0]


def test_environments_are_found_by_their_marks(tmp_path):
    for name in ("venv/lib", "tools/conda/conda-meta", "data/inner"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    found = set(environments_below(str(tmp_path), ()))
    assert found == {str(tmp_path / "venv"), str(tmp_path / "tools" / "conda")}
    assert set(environments_below(str(tmp_path), {str(tmp_path / "venv")})) == found - {
        str(tmp_path / "venv")
    }


@pytest.mark.skipif(sys.platform != "linux", reason="no such views")
def test_a_program_in_an_environment_below_the_directory_starts(site):
    python = site.write("env/bin/python", f'#!/bin/sh\nexec {site.user.python()} "$@"\n')
    python.chmod(0o755)
    site.write("env/pyvenv.cfg")
    shared = [str(site.directory / "env")]
    told = site(
        "import subprocess; print(subprocess.check_output(['env/bin/python', '-c', 'print(7)']))",
        shared=shared if site.way == "copy" else [],
    )
    assert told.out == "b'7\\n'\n"
