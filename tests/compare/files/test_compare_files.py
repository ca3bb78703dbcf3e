"""Two directories, file by file: what is missing, other, equal, and what nobody looked at."""

import io
import os
from pathlib import Path

import pytest

from seedproof.compare.files import content
from seedproof.compare.files.comparison import compare_files
from seedproof.compare.files.outcome import FileDifference, FilesOutcome, Unread
from two_runs import TwoRuns, difference

MEBIBYTE = 1 << 20


@pytest.fixture
def runs(tmp_path):
    return TwoRuns(tmp_path)


# -- bytes -------------------------------------------------------------------------------------


def test_equal_files_are_counted_with_their_bytes(runs):
    outcome = runs.write("a.bin", b"\0" * 10, b"\0" * 10).write("b/c", "", "").compare()
    assert outcome == FilesOutcome(files=2, bytes=10)
    assert not outcome.nothing_matched


@pytest.mark.parametrize("at", [0, 1, MEBIBYTE - 1, MEBIBYTE, 2 * MEBIBYTE + 7])
def test_the_first_differing_byte_is_found(tmp_path, at):
    size = 2 * MEBIBYTE + 8
    ours = bytes(size)
    theirs = bytes(at) + b"\1" + bytes(size - at - 1)
    found = difference(tmp_path, "x", ours, theirs)
    assert (found.kind, found.offset, found.sizes) == ("bits", at, (size, size))


@pytest.mark.parametrize("length", [0, 5, MEBIBYTE])
def test_the_beginning_of_a_file_differs_from_it_at_the_common_length(tmp_path, length):
    found = difference(tmp_path, "x", bytes(length), bytes(length + 3))
    assert (found.kind, found.offset, found.sizes) == ("size", length, (length, length + 3))


def test_another_length_is_said_even_where_bytes_differ_before(tmp_path):
    found = difference(tmp_path, "x", b"\0abc", b"\0aXcd")
    assert (found.kind, found.offset) == ("size", 2)


def test_bytes_are_counted_up_to_the_first_difference(runs):
    assert runs.write("x", b"\0\0\0\1", b"\0\0\0\2").compare().bytes == 3


def test_no_more_than_blocks_are_ever_read(runs):
    sizes = []

    class Watched:
        def __init__(self, file):
            self.file = file

        def read(self, size, /):
            sizes.append(size)
            return self.file.read(size)

    runs.write("x", bytes(3 * MEBIBYTE), bytes(3 * MEBIBYTE))
    with (runs.reference / "x").open("rb") as ours, (runs.other / "x").open("rb") as theirs:
        assert content.first_difference(Watched(ours), Watched(theirs)) is None
    assert max(sizes) == MEBIBYTE


def test_bytes_that_were_taken_away_are_noticed():
    with pytest.raises(content.UnreadableError, match="cut short"):
        list(content.blocks(io.BytesIO(b"abc"), 0, 4, 2))


# -- one of them -------------------------------------------------------------------------------


def test_a_file_that_one_run_did_not_write_is_a_difference(runs):
    runs.write("a", "", None).write("b", None, "").both("c")
    outcome = runs.compare()
    assert outcome.differences == (FileDifference("a", "missing"), FileDifference("b", "extra"))
    assert outcome.files == 1


def test_differences_come_in_the_order_of_the_paths(runs):
    for name in ("b/x", "a", "c", "b.txt"):
        runs.write(name, "1", "2")
    paths = [found.path for found in runs.compare().differences]
    assert paths == sorted(paths)
    assert len(paths) == 4


def test_a_directory_that_is_not_there_holds_nothing(runs, tmp_path):
    runs.write("a", "", None)
    outcome = compare_files(runs.reference, tmp_path / "none", ["**"])
    assert outcome.differences == (FileDifference("a", "missing"),)


# -- nothing -----------------------------------------------------------------------------------


def test_nothing_matched_is_not_the_same_as_nothing_differs(runs):
    outcome = runs.both("a.txt").compare("*.pt")
    assert outcome.nothing_matched
    assert outcome.unmatched == ("*.pt",)


def test_a_pattern_that_names_nothing_is_told_beside_one_that_does(runs):
    outcome = runs.both("a.txt").compare("*.pt", "*.txt")
    assert not outcome.nothing_matched
    assert outcome.unmatched == ("*.pt",)


def test_a_file_of_one_run_alone_is_something(runs):
    outcome = runs.write("a", None, "").compare()
    assert not outcome.nothing_matched
    assert outcome.unmatched == ()


# -- links and other files ---------------------------------------------------------------------


def link(directory, name, target):
    (directory / name).symlink_to(target)


def test_a_link_within_the_directory_is_the_file_that_it_leads_to(runs):
    runs.write("step1", "1", "1").write("step2", "2", "2")
    link(runs.reference, "latest", "step1")
    link(runs.other, "latest", "step2")
    assert [found.path for found in runs.compare().differences] == ["latest"]


def test_a_link_out_of_the_directory_is_not_followed(runs, tmp_path):
    (tmp_path / "secret").write_text("1")
    for directory in (runs.reference, runs.other):
        link(directory, "out.txt", tmp_path / "secret")
        link(directory, "up", "..")
    outcome = runs.compare("**/*.txt")
    reason = "it is a link that leads out of the directory"
    assert outcome.unread == (Unread("out.txt", reason), Unread("up", reason))
    assert outcome.nothing_matched


def test_what_lies_behind_a_link_out_of_one_directory_is_not_missing(runs, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link(runs.other, "out", elsewhere)
    (runs.reference / "out").mkdir()
    (runs.reference / "out" / "a").write_text("1")
    outcome = runs.compare()
    assert outcome.differences == ()
    assert [unread.path for unread in outcome.unread] == ["out"]


def test_a_link_that_no_pattern_names_is_nobodys_business(runs, tmp_path):
    (tmp_path / "secret").write_text("1")
    link(runs.reference, "secret", tmp_path / "secret")
    assert runs.both("a.txt").compare("**/*.txt") == FilesOutcome(1, 5)


def test_a_link_to_a_directory_within_is_not_walked_twice(runs):
    runs.both("d/a.txt")
    link(runs.reference, "again", "d")
    link(runs.reference / "d", "round", "..")
    assert runs.paths("**") == ["d/a.txt"]


def test_a_link_to_nothing_is_not_looked_at(runs):
    link(runs.reference, "gone", "nowhere")
    assert runs.compare().unread == (Unread("gone", "it is no plain file"),)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_pipe_is_not_waited_for_and_proves_nothing(runs):
    os.mkfifo(runs.reference / "pipe")
    outcome = runs.write("pipe", None, "text").compare()
    assert outcome.unread == (Unread("pipe", "it is no plain file"),)
    assert outcome.differences == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_file_that_became_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no plain file"):
        content.open_plain(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may read everything")
def test_a_file_that_may_not_be_read_proves_nothing(runs):
    runs.both("a")
    (runs.reference / "a").chmod(0)
    (unread,) = runs.compare().unread
    assert unread.path == "a"
    assert "Permission denied" in unread.reason


def test_a_directory_in_the_place_of_a_file_is_told(runs):
    (runs.reference / "a").write_text("1")
    (runs.other / "a").mkdir()
    (runs.other / "a" / "b").write_text("1")
    assert [(found.path, found.kind) for found in runs.compare().differences] == [
        ("a", "missing"),
        ("a/b", "extra"),
    ]


def test_names_that_are_no_text_are_compared_too(runs):
    name = os.fsdecode(b"\xff\xfe.bin")
    try:
        runs.write(name, b"\0", b"\1")
    except OSError:
        pytest.skip("the file system takes only text")
    assert [found.path for found in runs.compare().differences] == [name]


def test_the_root_itself_may_be_a_link(runs, tmp_path):
    link(tmp_path, "to", runs.reference)
    runs.both("a")
    assert compare_files(Path(tmp_path / "to"), runs.other, ["**"]) == FilesOutcome(1, 1)
