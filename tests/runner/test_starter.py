"""What a run's first process does before it becomes the command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import is_alive, needs_proc, parent_of, wait_for, with_variable
from seedproof.inside.run_directory import RUN_VARIABLE
from seedproof.launch import Launch
from seedproof.runner.base import STDERR_FILE, STDOUT_FILE
from seedproof.runner.local import LocalRunner
from seedproof.runner.starter import started

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux has it")
HANG = "import time\nopen('began', 'w').close()\nwhile True: time.sleep(60)"


@pytest.fixture
def start(tmp_path):
    """Starts a Python program after what is to be done first; what still runs is stopped."""
    running = []

    def start(program: str, *flags: str, **first):
        run = tmp_path / "run"
        run.mkdir(exist_ok=True)
        (run / "launch.json").write_text("{}")
        variables = {**os.environ, RUN_VARIABLE: str(run)}
        command = (sys.executable, *flags, "-c", program)
        launch = Launch(command, str(tmp_path), variables, first=first)
        running.append(LocalRunner().start(launch, run))
        return running[-1]

    yield start
    for run in running:
        run.stop("test over")
        wait_for(run.finished)


def said(run, tmp_path: Path) -> str:
    """What a run that ended well has printed."""
    end = wait_for(run.finished)
    assert end.returncode == 0, (tmp_path / "run" / STDERR_FILE).read_text()
    return (tmp_path / "run" / STDOUT_FILE).read_text()


# -- the program -------------------------------------------------------------------------------


def test_where_nothing_is_to_be_done_nothing_stands_between():
    assert started({}, ("python", "train.py")) == ["python", "train.py"]


@pytest.fixture
def start_program(tmp_path):
    """What a program that is not Python prints: an interpreter changes its own surroundings."""

    def printed(*command: str, **first) -> str:
        variables = {"PATH": os.environ["PATH"], "LANG": "C"}
        run = LocalRunner().start(Launch(command, str(tmp_path), variables, first=first), tmp_path)
        assert wait_for(run.finished).returncode == 0
        return (tmp_path / STDOUT_FILE).read_text()

    return printed


@pytest.mark.skipif(shutil.which("env") is None, reason="there is no env")
def test_the_environment_is_the_one_that_was_given(start_program):
    """An interpreter that starts in the locale C adds to it."""
    assert start_program("env", home="own") == start_program("env")


@linux
def test_the_signals_are_as_without(start_program):
    """An interpreter ignores two of them."""
    command = ("grep", "^Sig[BIC]", "/proc/self/status")
    assert start_program(*command, home="own") == start_program(*command)


def test_the_process_is_the_one_that_the_guard_started(start, tmp_path):
    program = "import os; print(os.getpid() == os.getpgrp())"
    assert said(start(program, home="own"), tmp_path) == "True\n"


def test_arguments_arrive_as_they_were(start, tmp_path):
    words = ["", "a b", "-x", "ä\n", "--"]
    run = LocalRunner().start(
        Launch(
            (sys.executable, "-c", "import sys; print(sys.argv[1:])", *words),
            str(tmp_path),
            dict(os.environ),
            first={"home": "own"},
        ),
        tmp_path,
    )
    assert wait_for(run.finished).returncode == 0
    assert (tmp_path / STDOUT_FILE).read_text() == f"{words}\n"


def test_a_command_that_is_not_there_is_named(tmp_path):
    done = subprocess.run(started({"home": "own"}, ["no-such-command"]), capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"no-such-command: No such file or directory\n")


# -- what it does ------------------------------------------------------------------------------


@linux
def test_addresses_are_the_same_in_every_run_or_at_random(start, tmp_path):
    address = "print(id(object()))"
    same = {said(start(address, aslr=False), tmp_path) for _ in range(3)}
    other = {said(start(address, aslr=True), tmp_path) for _ in range(3)}
    assert len(same) == 1
    assert len(other) == 3


def test_an_empty_home_has_downloads_and_no_settings(start, tmp_path, monkeypatch):
    old = tmp_path / "old"
    (old / ".keras" / "datasets").mkdir(parents=True)
    (old / ".keras" / "datasets" / "mnist.npz").write_text("kept")
    (old / ".keras" / "keras.json").write_text("{}")
    monkeypatch.setenv("HOME", str(old))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(old / ".config"))
    program = (
        "import os\nhome = os.path.expanduser('~/.keras/')\n"
        "print(os.listdir(home), open(home + 'datasets/mnist.npz').read(),"
        " 'XDG_CONFIG_HOME' in os.environ)\nopen(home + 'keras.json', 'w').close()"
    )
    assert said(start(program, home="empty"), tmp_path) == "['datasets'] kept False\n"
    assert (old / ".keras" / "keras.json").read_text() == "{}"


def test_an_earlier_run_leaves_what_it_leaves(start, tmp_path):
    program = (
        "import os, sys\nprint(os.path.exists('checkpoint'))\nopen('checkpoint', 'w').close()\n"
        "sys.exit(3 if len(sys.argv) > 1 else 0)"
    )
    assert said(start(program, leftovers="none"), tmp_path) == "False\n"
    (tmp_path / "checkpoint").unlink()
    assert said(start(program, leftovers="earlier"), tmp_path) == "True\n"
    assert (tmp_path / "run" / "earlier" / "ended").read_text() == "0"
    assert (tmp_path / "run" / "earlier" / "launch.json").exists()


def earlier_and_then(tmp_path, **stdin) -> str:
    """What a program has read that ran once before."""
    (tmp_path / "launch.json").write_text("{}")
    program = "import sys; text = sys.stdin.read(); open('read', 'a').write(f'({text})')"
    subprocess.run(
        started({"leftovers": "earlier"}, [sys.executable, "-c", program]),
        cwd=tmp_path,
        env={**os.environ, RUN_VARIABLE: str(tmp_path)},
        check=True,
        **stdin,
    )
    return (tmp_path / "read").read_text()


def test_each_of_the_two_reads_the_whole_input(tmp_path):
    (tmp_path / "input").write_text("given")
    with (tmp_path / "input").open() as given:
        assert earlier_and_then(tmp_path, stdin=given) == "(given)(given)"


def test_what_can_be_read_only_once_is_left_to_the_run(tmp_path):
    assert earlier_and_then(tmp_path, input=b"given") == "()(given)"


@needs_proc
def test_busy_processes_run_beside_the_run_and_end_with_it(start, tmp_path):
    run = start(HANG, busy=2)
    wait_for((tmp_path / "began").exists)
    mark = str(tmp_path / "run")
    beside = wait_for(lambda: _without_the_run(with_variable(RUN_VARIABLE, mark), 2))
    run.stop("test over")
    wait_for(run.finished)
    assert not any(map(is_alive, beside))


@needs_proc
def test_busy_processes_are_no_children_of_the_run(start, tmp_path):
    """A program that waits for all of its children would never end."""
    program = (
        "import os\ntry:\n    while True: os.wait()\nexcept ChildProcessError: print('no children')"
    )
    assert said(start(program, busy=2), tmp_path) == "no children\n"


@needs_proc
def test_a_run_that_is_killed_takes_its_busy_processes_along(start, tmp_path):
    run = start(HANG, busy=1)
    wait_for((tmp_path / "began").exists)
    mark = str(tmp_path / "run")
    beside = wait_for(lambda: _without_the_run(with_variable(RUN_VARIABLE, mark), 1))
    (first,) = (pid for pid in with_variable(RUN_VARIABLE, mark) if pid not in beside)
    os.kill(first, signal.SIGKILL)
    wait_for(run.finished)
    assert not any(map(is_alive, beside))


def _without_the_run(pids: list[int], count: int) -> list[int]:
    """The busy processes among those of a run, once all are there: they have left its family."""
    groups = {pid: os.getpgid(pid) for pid in pids if is_alive(pid)}
    busy = [pid for pid, group in groups.items() if pid != group and parent_of(pid) != group]
    return busy if len(busy) == count else []
