"""Launches carried out on this machine."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from processes import is_alive, needs_proc, parent_of, wait_for, wait_for_number
from seedproof.inside.run_directory import RUN_VARIABLE
from seedproof.launch import Launch
from seedproof.runner.base import EXIT_FILE, GUARD_LOST, STDERR_FILE, STDOUT_FILE
from seedproof.runner.local import LocalRunner

SAY_PID = "import os; open('pid', 'w').write(f'{os.getpid()}\\n')\n"
HANG = SAY_PID + "import time\nwhile True: time.sleep(60)\n"


@pytest.fixture
def launched(tmp_path):
    """Starts a Python program; what still runs at the end is stopped."""
    started = []

    def start(program, **variables):
        command = (sys.executable, "-c", program)
        launch = Launch(command, str(tmp_path), {**os.environ, **variables})
        started.append(LocalRunner().start(launch, tmp_path))
        return started[-1]

    yield start
    for run in started:
        run.stop("test over")
        wait_for(run.finished)


def test_a_run_is_unfinished_while_it_goes_on(launched, tmp_path):
    run = launched(HANG)
    wait_for_number(tmp_path / "pid")
    assert run.finished() is None


def test_a_finished_run_tells_how_it_ended(launched, tmp_path):
    run = launched("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    end = wait_for(run.finished)
    assert (end.returncode, end.stopped, end.trouble) == (3, None, None)
    assert run.finished() is end
    assert (tmp_path / STDOUT_FILE).read_text() == "out\n"
    assert (tmp_path / STDERR_FILE).read_text() == "err\n"
    assert (tmp_path / EXIT_FILE).exists()


def test_the_first_reason_to_stop_is_the_one_that_counts(launched, tmp_path):
    run = launched(HANG)
    wait_for_number(tmp_path / "pid")
    run.stop("diverged")
    run.stop("timeout")
    end = wait_for(run.finished)
    assert (end.returncode, end.stopped) == (-signal.SIGTERM, "diverged")


def test_stopping_what_has_ended_changes_nothing(launched):
    run = launched("pass")
    end = wait_for(run.finished)
    run.stop("timeout")
    assert run.finished() is end


def test_a_large_environment_reaches_the_run(launched, tmp_path):
    large = {f"LARGE_{at}": "x" * 100_000 for at in range(3)}  # more than a pipe holds
    run = launched(
        "import os; print(sum(len(os.environ[f'LARGE_{n}']) for n in range(3)))", **large
    )
    assert wait_for(run.finished).returncode == 0
    assert (tmp_path / STDOUT_FILE).read_text() == "300000\n"


@needs_proc
def test_where_the_guard_is_killed_nothing_of_the_run_goes_on(launched, tmp_path):
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HANG!r}])"
    run = launched(program, **{RUN_VARIABLE: str(tmp_path)})
    grandchild = wait_for_number(tmp_path / "pid")
    child = parent_of(grandchild)
    os.kill(parent_of(child), signal.SIGKILL)
    end = wait_for(run.finished)
    assert (end.returncode, end.stopped) == (None, GUARD_LOST)
    assert not is_alive(child)
    assert not is_alive(grandchild)
