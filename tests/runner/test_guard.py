"""The guard of a run: what it starts, what it tells, and that nothing of the run outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import is_alive, needs_proc, wait_for, wait_for_number
from seedproof.runner import guard

SAY_PID = "import os; open('pid', 'w').write(f'{os.getpid()}\\n')\n"
HANG = SAY_PID + "import time\nwhile True: time.sleep(60)\n"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG
DAEMON = """
import os, time
if os.fork():
    while not os.path.exists('pid'): time.sleep(0.01)
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.environ.clear()
open('pid.new', 'w').write(f'{os.getpid()}\\n')
os.rename('pid.new', 'pid')
while True: time.sleep(60)
"""


# The guard on a system that lacks something, or where something is odd.
ODDLY = "import os, runpy, sys, time\n{oddity}\nrunpy.run_path(sys.argv[1], run_name='__main__')"
NO_WAITID = "if hasattr(os, 'waitid'): del os.waitid"
CLOCK_GOES_BACK = "times = iter([7200.0, 3600.0])\ntime.time = lambda: next(times)"


class Guarded:
    """A guard that was told to run a Python program, as the parent starts it."""

    def __init__(
        self, directory, program, *, command=None, environment=None, affinity=None, oddity=""
    ):
        self.directory = directory
        start = ["-c", ODDLY.format(oddity=oddity)] if oddity else []
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", *start, guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        order = {
            "command": command or [sys.executable, "-c", program],
            "environment": {} if environment is None else environment,
            "directory": str(directory),
            "affinity": affinity,
            "run": str(directory),
        }
        self.say(json.dumps(order))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def pid(self):
        """Of the program, which has written it to `pid`."""
        return wait_for_number(self.directory / "pid")

    def outcome(self):
        """What it tells in the end."""
        self.process.wait(60)
        return json.loads(self.process.stdout.read())

    def kept(self):
        """What it wrote beside the run."""
        return json.loads((self.directory / "exit.json").read_text())


@pytest.fixture
def guarded(tmp_path):
    started = []

    def start(program="", **settings):
        started.append(Guarded(tmp_path, program, **settings))
        return started[-1]

    yield start
    for each in started:
        with each.process as process:
            process.stdin.close()
            process.wait(60)


def test_it_tells_how_the_run_ended_and_keeps_it(guarded):
    run = guarded("raise SystemExit(7)")
    outcome = run.outcome()
    assert outcome["returncode"] == 7
    assert outcome["stopped"] is None
    assert run.kept() == outcome


def test_the_time_that_a_run_took_does_not_depend_on_the_clock_that_is_set(guarded):
    outcome = guarded(oddity=CLOCK_GOES_BACK).outcome()
    assert (outcome["began"], outcome["ended"]) == (7200.0, 3600.0)
    assert outcome["seconds"] > 0


def test_a_run_is_waited_for_where_the_system_cannot_tell_its_end_beforehand(guarded):
    wait = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\nraise SystemExit(7)"
    run = guarded(SAY_PID + wait, oddity=NO_WAITID)
    run.pid()
    (run.directory / "go").touch()
    outcome = run.outcome()
    assert (outcome["returncode"], outcome["stopped"]) == (7, None)


def test_a_run_that_a_signal_killed_has_minus_its_number(guarded):
    run = guarded("import os; os.kill(os.getpid(), 9)")
    assert run.outcome()["returncode"] == -9


def test_a_command_that_cannot_be_started_is_told_as_trouble(guarded, tmp_path):
    (tmp_path / "broken").write_bytes(b"\x7fELF")
    (tmp_path / "broken").chmod(0o755)
    outcome = guarded(command=[str(tmp_path / "broken")]).outcome()
    assert outcome["returncode"] is None
    assert "Exec format error" in outcome["trouble"]


def test_the_output_goes_to_files_and_the_input_is_empty(guarded, tmp_path):
    program = "import sys; print('out', repr(sys.stdin.read())); print('err', file=sys.stderr)"
    assert guarded(program).outcome()["returncode"] == 0
    assert (tmp_path / "stdout.log").read_text() == "out ''\n"
    assert (tmp_path / "stderr.log").read_text() == "err\n"


def test_the_environment_is_exactly_the_one_of_the_launch(guarded, tmp_path):
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    assert guarded(program, environment={"A": "1", "LC_ALL": "C"}).outcome()["returncode"] == 0
    assert json.loads((tmp_path / "stdout.log").read_text()) == {"A": "1", "LC_ALL": "C"}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_the_processors_are_those_of_the_launch(guarded, tmp_path):
    core = max(os.sched_getaffinity(0))
    program = "import os; print(os.sched_getaffinity(0))"
    assert guarded(program, affinity=[core]).outcome()["returncode"] == 0
    assert (tmp_path / "stdout.log").read_text() == f"{{{core}}}\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_processors_that_do_not_exist_are_told_as_trouble(guarded):
    outcome = guarded(affinity=[1 << 16]).outcome()
    assert outcome["returncode"] is None
    assert outcome["trouble"]


def test_the_processor_time_is_that_of_the_run_and_of_its_children(guarded):
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])\n{burn}"
    assert guarded(program).outcome()["cpu_seconds"] > 0.3  # it is counted in hundredths


def test_a_word_on_the_pipe_stops_the_run_and_becomes_the_reason(guarded):
    run = guarded(HANG)
    pid = run.pid()
    run.say("diverged")
    assert run.outcome()["stopped"] == "diverged"
    assert run.kept()["stopped"] == "diverged"
    assert not is_alive(pid)


def test_a_stopped_run_may_end_itself_first(guarded, tmp_path):
    tidy = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    run = guarded(tidy + HANG)
    run.pid()
    run.say("timeout")
    outcome = run.outcome()
    assert (outcome["returncode"], outcome["stopped"]) == (5, "timeout")


def test_a_run_that_ignores_sigterm_is_killed(guarded):
    run = guarded(IGNORE_SIGTERM)
    pid = run.pid()
    run.say("timeout")
    assert run.outcome()["returncode"] == -signal.SIGKILL
    assert not is_alive(pid)


def test_a_run_ends_with_its_parent(guarded):
    run = guarded(HANG)
    pid = run.pid()
    run.process.stdin.close()  # as the system does when the parent is killed
    run.process.wait(60)
    assert not is_alive(pid)
    assert run.kept()["stopped"] == "parent lost"


@needs_proc
def test_a_run_ends_with_its_guard(guarded):
    run = guarded(HANG)
    pid = run.pid()
    run.process.kill()
    wait_for(lambda: not is_alive(pid))


@needs_proc
def test_a_child_in_the_background_ends_with_the_run(guarded):
    program = (
        f"import os, subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {HANG!r}])\n"
        "while not os.path.exists('pid'): time.sleep(0.01)\n"
    )
    run = guarded(program)
    assert run.outcome()["returncode"] == 0
    assert not is_alive(run.pid())


@needs_proc
def test_a_daemon_in_a_session_of_its_own_ends_with_the_run(guarded):
    run = guarded(DAEMON)
    assert run.outcome()["returncode"] == 0
    assert not is_alive(run.pid())


@needs_proc
def test_a_daemon_of_a_run_that_is_stopped_ends_too(guarded):
    run = guarded(DAEMON.replace("os._exit(0)", "time.sleep(3600)", 1))
    daemon = run.pid()
    run.say("timeout")
    run.outcome()
    assert not is_alive(daemon)


@needs_proc
def test_what_is_marked_can_be_ended_without_a_guard(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HANG], cwd=tmp_path, env={"MARK": "this"}, start_new_session=True
    ) as marked:
        wait_for_number(tmp_path / "pid")
        guard.end_marked("MARK", "another")
        assert is_alive(marked.pid)
        guard.end_marked("MARK", "this")
        assert marked.wait(60) in (-signal.SIGKILL, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_the_directory_is_in_use_until_the_guard_has_ended(guarded, tmp_path):
    import fcntl

    def take():
        with (tmp_path / "in-use").open("r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    run = guarded(HANG)
    run.pid()
    with pytest.raises(BlockingIOError):
        take()
    run.say("timeout")
    run.outcome()
    take()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_the_parent_learns_the_end_even_where_it_cannot_be_kept(guarded, tmp_path):
    (tmp_path / "exit.json.new").symlink_to("/dev/full")
    run = guarded("raise SystemExit(3)")
    assert run.outcome()["returncode"] == 3
    assert not (tmp_path / "exit.json").exists()
