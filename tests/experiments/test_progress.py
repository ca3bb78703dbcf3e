"""What a terminal and a log get to see of a download."""

import io
from contextlib import redirect_stderr

import pytest

from seedproof.experiments.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream, *sizes, error=None):
    """What a download of such pieces writes to this standard error, ended by the error if any."""
    with redirect_stderr(stream), Progress("downloading x") as progress:
        for size in sizes:
            progress.add(size)
        if error:
            raise error
    return stream.getvalue()


def shown_of_a_broken_one(stream):
    with pytest.raises(OSError, match="gone"):
        shown(stream, 1000, error=OSError("gone"))
    return stream.getvalue()


def test_a_terminal_gets_one_line_that_grows():
    line = "\rdownloading x: 1,000 bytes\rdownloading x: 1,256 bytes\n"
    assert shown(Terminal(), 1000, 256) == line


def test_a_broken_download_ends_the_terminals_line():
    assert shown_of_a_broken_one(Terminal()) == "\rdownloading x: 1,000 bytes\n"


def test_a_log_gets_a_line_at_each_end():
    lines = "downloading x\ndownloading x: done, 1,256 bytes\n"
    assert shown(io.StringIO(), 1000, 256) == lines


def test_a_broken_download_is_not_called_done():
    assert shown_of_a_broken_one(io.StringIO()) == "downloading x\n"
