"""Something is killed while runs are in private views: nothing of the user's changes."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from views import WAYS, for_each, opened

from processes import is_alive, needs_proc, parent_of, wait_for, wait_for_number

pytestmark = needs_proc

site = for_each(WAYS)

WRITE_AND_SAY_PID = """
import os, time
open('written', 'w').write('w'); os.remove('read.txt'); os.mkdir('d'); os.chmod('d', 0o500)
run = os.environ['_SEEDPROOF_RUN']
open(run + '/pid', 'w').write(f'{os.getpid()}\\n')
"""
HANG = WRITE_AND_SAY_PID + "while True: time.sleep(60)\n"
WITH_A_CHILD = "import subprocess, sys\n" + f"subprocess.run([sys.executable, '-c', {HANG!r}])\n"
SWEEP = "import sys; from seedproof.runner.private.scratch import sweep; sweep(sys.argv[1])"


@pytest.fixture
def started(site):
    """A run that hangs, after it has written; its process is a child of the run's first one."""
    site.before = site.facts()
    running = site.start(WITH_A_CHILD)
    running.pid = wait_for_number(running.run / "pid")
    return running


def guard_of(started):
    return parent_of(parent_of(started.pid))


def kill(*pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it ended before
            os.kill(pid, signal.SIGKILL)


def test_of_a_run_that_is_killed_everything_is_kept(site, started):
    kill(parent_of(started.pid))
    ended = started.end()
    assert ended.exit["returncode"] == -signal.SIGKILL
    assert (ended.files, ended.gone) == ({"written": "w"}, ["read.txt"])
    assert (site.facts(), site.left()) == (site.before, [])
    assert not is_alive(started.pid)


def test_where_the_parent_is_killed_the_guard_clears_up(site, started):
    guard = guard_of(started)
    kill(started.driver.pid)
    wait_for(lambda: not is_alive(guard))
    assert not is_alive(started.pid)
    assert (started.run / "files" / "written").read_text() == "w"
    assert (started.run / "exit.json").exists()
    assert (site.facts(), site.left()) == (site.before, [])


def test_where_the_guard_is_killed_the_parent_clears_up(site, started):
    kill(guard_of(started))
    ended = started.end()
    assert ended.exit["stopped"] == "guard lost"
    assert not is_alive(started.pid)
    assert (site.facts(), site.left()) == (site.before, [])


def test_where_both_are_killed_the_next_check_clears_up(site, started):
    first = parent_of(started.pid)
    kill(started.driver.pid, guard_of(started))
    wait_for(lambda: not is_alive(first))
    assert site.facts() == site.before
    assert len(site.left()) == 1
    site.python(SWEEP, str(site.place))
    assert site.left() == []
    kill(started.pid)  # nobody was left who could


def test_a_view_that_is_in_use_is_not_cleared_up(site, started):
    site.python(SWEEP, str(site.place))
    assert len(site.left()) == 1
    kill(started.pid)
    assert started.end().files == {"written": "w"}


def mounts(site, pid):
    lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    return [line for line in lines if str(site.directory) in line]


def test_a_mount_of_a_view_is_seen_by_its_run_alone(site, started):
    assert bool(mounts(site, started.pid)) == (site.namespace is not None)
    assert mounts(site, "self") == mounts(site, guard_of(started)) == []


def test_it_is_even_where_mounts_are_passed_on():
    with opened("overlay", "mount") as site:
        before = "from seedproof.runner.private import calls; calls.own_mounts(user=False)\n"
        before += "calls._mount(None, '/', None, 1 << 20 | 1 << 14, None)  # shared, recursively"
        started = site.start(HANG, before=before)
        pid = wait_for_number(started.run / "pid")
        assert mounts(site, pid)
        assert mounts(site, started.driver.pid) == []
