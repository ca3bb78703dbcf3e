"""Texts: the line in which they part. Standard output is one of them."""

import pytest

from seedproof.compare.files.comparison import compare_stdout
from seedproof.compare.files.outcome import LineDifference
from two_runs import TwoRuns, difference


def line(tmp_path, ours, theirs, name="log.txt"):
    return difference(tmp_path, name, ours, theirs).line


def test_the_first_line_that_differs_is_shown_with_its_number(tmp_path):
    found = difference(tmp_path, "log.csv", "a,1\nb,2\nc,3\n", "a,1\nb,7\nc,4\n")
    assert found.offset == 6
    assert found.line == LineDifference(2, "b,2\n", "b,7\n")


def test_a_json_file_is_a_text(tmp_path):
    found = line(tmp_path, '{\n "loss": 0.5\n}', '{\n "loss": 0.25\n}', "metrics.json")
    assert found == LineDifference(2, ' "loss": 0.5\n', ' "loss": 0.25\n')


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("a\nb\n", "a\n", LineDifference(2, "b\n", None)),
        ("", "a", LineDifference(1, None, "a")),
        ("ab", "abc", LineDifference(1, "ab", "abc")),
        ("a\n", "a\r\n", LineDifference(1, "a\n", "a\r\n")),
        ("a", "a\n", LineDifference(1, "a", "a\n")),
        ("\n\nx", "\n\n\nx", LineDifference(3, "x", "\n")),
    ],
)
def test_ends_of_lines_and_of_texts(tmp_path, ours, theirs, expected):
    assert line(tmp_path, ours.encode(), theirs.encode()) == expected


def test_a_long_line_is_shown_around_the_difference(tmp_path):
    found = line(tmp_path, "a" * 50_000 + "1" + "b" * 50_000, "a" * 50_000 + "2" + "b" * 50_000)
    assert found.reference == "…" + "a" * 40 + "1" + "b" * 99 + "…"
    assert found.other == "…" + "a" * 40 + "2" + "b" * 99 + "…"


def test_letters_are_not_cut_in_two(tmp_path):
    found = line(tmp_path, "€" * 1000 + "1" + "ä" * 1000, "€" * 1000 + "2" + "ä" * 1000)
    assert "\N{REPLACEMENT CHARACTER}" not in found.reference + found.other


def test_a_letter_that_differs_in_its_last_byte_is_shown_whole(tmp_path):
    assert line(tmp_path, "xä\n", "xö\n") == LineDifference(1, "xä\n", "xö\n")


def test_lines_are_counted_over_blocks(tmp_path):
    before = "x" * 10 + "\n"
    found = line(tmp_path, before * 200_000 + "1", before * 200_000 + "2")
    assert found == LineDifference(200_001, "1", "2")


def test_bytes_that_are_no_text_have_no_lines(tmp_path):
    assert line(tmp_path, b"\0\1\n\2", b"\0\1\n\3") is None


def test_bytes_that_are_no_utf8_are_shown_as_far_as_they_are(tmp_path):
    assert line(tmp_path, b"caf\xe9 1", b"caf\xe9 2").reference == "caf\N{REPLACEMENT CHARACTER} 1"


# -- standard output ---------------------------------------------------------------------------


def stdout(tmp_path, ours, theirs):
    runs = TwoRuns(tmp_path).write("stdout.log", ours, theirs)
    return compare_stdout(runs.reference / "stdout.log", runs.other / "stdout.log")[0]


def test_equal_standard_output_has_no_difference(tmp_path):
    assert stdout(tmp_path, "loss 0.5\n", "loss 0.5\n") is None


def test_standard_output_is_compared_byte_for_byte_and_line_by_line(tmp_path):
    found = stdout(tmp_path, "start\nloss 0.5\n", "start\nloss 0.7\n")
    assert (found.path, found.kind, found.offset) == ("standard output", "bits", 13)
    assert found.line == LineDifference(2, "loss 0.5\n", "loss 0.7\n")


def test_binary_standard_output_has_an_offset_alone(tmp_path):
    found = stdout(tmp_path, b"\0\1\2", b"\0\1")
    assert (found.kind, found.offset, found.line) == ("size", 2, None)


def test_a_log_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        stdout(tmp_path, "x", None)
