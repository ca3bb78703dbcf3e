"""What runs write, shown while they write it."""

from __future__ import annotations

import io
import os
import sys

import pytest

from processes import wait_for
from seedproof.launch import Launch
from seedproof.runner.local import LocalRunner
from seedproof.runner.show import Show

BINARY = bytes(range(256)) * 10_000


class Shown:
    """A run's logs, and what is shown of them."""

    def __init__(self, directory, label=""):
        self.directory = directory
        self.out, self.err = io.BytesIO(), io.BytesIO()
        self.show = Show(directory, label, self.out, self.err)

    def write(self, content, name="stdout.log"):
        with (self.directory / name).open("ab") as log:
            log.write(content)
        self.show.look()
        return self.out.getvalue()


@pytest.fixture
def plain(tmp_path):
    """Shows one run alone."""
    return Shown(tmp_path)


@pytest.fixture
def labelled(tmp_path):
    """Shows one run of several."""
    return Shown(tmp_path, "seeded 1")


def test_both_outputs_go_where_the_run_sends_them(plain):
    plain.write(b"to out\n")
    plain.write(b"to err\n", "stderr.log")
    assert (plain.out.getvalue(), plain.err.getvalue()) == (b"to out\n", b"to err\n")


def test_what_is_written_is_shown_at_once_and_once(plain):
    assert plain.write(b"no newline yet") == b"no newline yet"
    assert plain.write(b", more") == b"no newline yet, more"


def test_bytes_are_untouched(plain):
    assert plain.write(BINARY) == BINARY


def test_nothing_is_shown_before_there_is_a_log(plain):
    plain.show.look()
    plain.show.finish()
    assert plain.out.getvalue() == b""


def test_lines_of_several_runs_say_whose_they_are(labelled):
    assert labelled.write(b"one\ntwo\n") == b"[seeded 1] one\n[seeded 1] two\n"


def test_a_line_of_several_runs_waits_until_it_is_whole(labelled):
    assert labelled.write(b"one\ntw") == b"[seeded 1] one\n"
    assert labelled.write(b"o\n") == b"[seeded 1] one\n[seeded 1] two\n"


def test_a_line_that_is_never_ended_is_shown_at_the_end(labelled):
    labelled.write(b"last")
    labelled.show.finish()
    assert labelled.out.getvalue() == b"[seeded 1] last\n"


def test_a_progress_bar_shows_its_progress(labelled):
    assert labelled.write(b"1/3\r2/3\r3/3\n") == b"[seeded 1] 1/3\r[seeded 1] 2/3\r[seeded 1] 3/3\n"


def test_the_two_ends_of_a_line_are_one_when_they_come_apart(labelled):
    labelled.write(b"one\r")
    assert labelled.write(b"\n") == b"[seeded 1] one\r\n"


def test_a_line_without_end_is_not_kept_for_ever(labelled):
    assert len(labelled.write(b"x" * 3_000_000)) > 1_000_000


def test_where_nobody_looks_the_run_goes_on(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as out:
        show = Show(tmp_path, "", out, io.BytesIO())
        (tmp_path / "stdout.log").write_bytes(b"line\n")
        show.look()
        show.finish()


def test_of_a_real_run_everything_up_to_its_end_is_shown(plain, tmp_path):
    program = "import os, sys; sys.stdout.buffer.write(bytes(range(256)) * 10_000)\n"
    program += "sys.stdout.flush(); os.write(2, b'last words'); os._exit(3)"
    launch = Launch((sys.executable, "-c", program), str(tmp_path), dict(os.environ))
    run = LocalRunner().start(launch, tmp_path)
    wait_for(lambda: plain.show.look() or run.finished())
    plain.show.finish()
    assert (plain.out.getvalue(), plain.err.getvalue()) == (BINARY, b"last words")
