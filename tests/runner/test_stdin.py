"""Standard input, given whole to each run."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys

import pytest

from processes import wait_for
from seedproof.errors import UsageError
from seedproof.launch import Launch
from seedproof.runner.local import LocalRunner
from seedproof.runner.stdin import standard_input

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs get no input there")

READ_ALL = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
KIND = "import os, stat, sys; m = os.fstat(0).st_mode\n"
KIND += "print(stat.S_ISREG(m), stat.S_ISFIFO(m), stat.S_ISCHR(m), sys.stdin.isatty())"
LARGE = bytes(range(256)) * 4096  # more than pipes hold


class Runs:
    """Starts programs that read what is told."""

    def __init__(self, directory, descriptor, *, going_on=False):
        self.directory = directory
        self.input = standard_input(directory, going_on=going_on, descriptor=descriptor)
        self.runner = LocalRunner(stdin=self.input)
        self.started = []

    def start(self, program):
        directory = self.directory / f"run{len(list(self.directory.glob('run*')))}"
        directory.mkdir()
        launch = Launch((sys.executable, "-c", program), str(self.directory), dict(os.environ))
        self.started.append((self.runner.start(launch, directory), directory))
        return self.started[-1]

    def __call__(self, program=READ_ALL):
        """What a program writes that has run to its end."""
        run, directory = self.start(program)
        assert wait_for(run.finished).returncode == 0, (directory / "stderr.log").read_text()
        return (directory / "stdout.log").read_bytes()

    def stop(self):
        for run, _ in self.started:
            run.stop("test over")
            wait_for(run.finished)


@pytest.fixture
def runs(tmp_path):
    """Makes runs that read from a descriptor."""
    made = []

    def make(descriptor, **settings):
        made.append(Runs(tmp_path, descriptor, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def pipe():
    """Both ends of a pipe: reading, writing."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


@contextlib.contextmanager
def opened(path, at=0):
    """A descriptor on a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, at, os.SEEK_SET)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def file(tmp_path):
    """A file to read from."""
    (tmp_path / "input").write_bytes(LARGE)
    return tmp_path / "input"


def test_each_run_gets_a_file_whole(runs, file):
    with opened(file) as descriptor:
        each = runs(descriptor)
        assert each() == each() == LARGE


def test_a_file_is_read_from_where_it_stands_and_stays_there(runs, file):
    with opened(file, at=1000) as descriptor:
        assert runs(descriptor)() == LARGE[1000:]
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 1000


def test_a_file_stays_a_file_and_a_pipe_a_pipe(runs, file, pipe):
    with opened(file) as descriptor:
        assert runs(descriptor)(KIND) == b"True False False False\n"
    assert runs(pipe[0])(KIND) == b"False True False False\n"


def test_a_file_that_has_changed_meanwhile_is_refused(runs, file):
    with opened(file) as descriptor:
        each = runs(descriptor)
        each()
        file.write_bytes(b"other")
        with pytest.raises(UsageError, match="it has changed"):
            each.start(READ_ALL)


def test_a_file_without_a_name_is_given_whole_too(runs, file):
    with opened(file) as descriptor:
        file.unlink()
        each = runs(descriptor)
        assert each() == each() == LARGE


def test_each_run_gets_the_whole_of_a_pipe(runs, pipe):
    each = runs(pipe[0])
    run, directory = each.start(READ_ALL)
    os.write(pipe[1], LARGE[:1000])
    os.close(pipe[1])
    assert wait_for(run.finished).returncode == 0
    assert (directory / "stdout.log").read_bytes() == LARGE[:1000]
    assert each() == LARGE[:1000]


def test_what_comes_in_is_read_while_it_comes(runs, pipe, tmp_path):
    lines = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    each = runs(pipe[0])
    both = [each.start(lines) for _ in range(2)]
    for number in range(3):
        os.write(pipe[1], f"{number}\n".encode())
        for _, directory in both:
            log = directory / "stdout.log"
            wait_for(lambda log=log, n=number: log.exists() and log.read_text().endswith(f"{n}\n"))
    os.close(pipe[1])
    assert [wait_for(run.finished).returncode for run, _ in both] == [0, 0]


def test_a_run_that_does_not_read_hinders_no_one(runs, file):
    with subprocess.Popen(["cat", file], stdout=subprocess.PIPE) as source:
        each = runs(source.stdout.fileno())
        each.start("import time\nwhile True: time.sleep(60)")
        assert each() == LARGE


def test_a_run_ends_whether_its_input_ends_or_not(runs, pipe):
    assert runs(pipe[0])("print('done')") == b"done\n"


def test_of_an_endless_input_only_what_is_read_is_kept(runs, pipe, tmp_path):
    each = runs(pipe[0])
    _, directory = each.start(
        "import sys, time; print(input(), flush=True)\nwhile 1: time.sleep(9)"
    )
    os.set_blocking(pipe[1], False)
    for _ in range(50):  # more than a pipe, a block and another pipe hold
        if select.select([], [pipe[1]], [], 0.02)[1]:
            os.write(pipe[1], b"y\n" * 30_000)
    wait_for(lambda: (directory / "stdout.log").read_text() == "y\n")
    assert (tmp_path / "stdin.part").stat().st_size < 1_000_000


@contextlib.contextmanager
def no_input(kind):
    """A descriptor on which nobody sends anything."""
    ends = pty.openpty() if kind == "terminal" else (os.open(os.devnull, os.O_RDONLY),)
    if kind == "closed":
        os.close(ends[0])
    yield ends[-1]
    for end in ends if kind != "closed" else ():
        os.close(end)


@pytest.mark.parametrize("kind", ["terminal", "null", "closed"])
def test_a_terminal_is_no_input(runs, kind):
    with no_input(kind) as descriptor:
        each = runs(descriptor)
    assert each() == b""
    assert each(KIND) == b"False False True False\n"


def test_a_check_that_is_gone_on_with_gets_the_same_file(runs, file, tmp_path):
    with opened(file, at=5) as descriptor:
        runs(descriptor)
    with no_input("null") as descriptor:
        assert runs(descriptor, going_on=True)() == LARGE[5:]
    file.unlink()
    with pytest.raises(UsageError, match="start a new check"):
        runs(0, going_on=True).start(READ_ALL)


def test_a_check_that_is_gone_on_with_gets_what_came_through_the_pipe(runs, pipe):
    os.write(pipe[1], b"once")
    os.close(pipe[1])
    assert runs(pipe[0])() == b"once"
    assert runs(pipe[0], going_on=True)() == b"once"


def test_what_came_only_in_part_cannot_be_gone_on_with(runs, pipe):
    each = runs(pipe[0])
    _, directory = each.start("import sys; print(sys.stdin.readline(), flush=True); input()")
    os.write(pipe[1], b"line\n")
    wait_for((directory / "stdout.log").exists)
    wait_for(lambda: (directory / "stdout.log").read_text())
    with pytest.raises(UsageError, match="pipe that had not ended"):
        runs(pipe[0], going_on=True)


def test_where_nothing_had_come_yet_the_input_of_now_is_taken(runs, pipe, file):
    runs(pipe[0])("pass")
    with opened(file) as descriptor:
        assert runs(descriptor, going_on=True)() == LARGE


def test_a_check_without_input_goes_on_without(runs, file):
    with no_input("null") as descriptor:
        runs(descriptor)
    with opened(file) as descriptor:
        assert runs(descriptor, going_on=True)() == b""
