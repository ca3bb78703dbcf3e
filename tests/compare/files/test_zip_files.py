"""Zip archives: the member that differs, and what no archive may do to its reader."""

import io
import struct
import time
import zipfile

import pytest

from seedproof.compare.files.outcome import MemberDifference
from two_runs import difference

NOON = (2020, 1, 1, 12, 0, 0)


def zipped(members, when=NOON, packing=zipfile.ZIP_STORED):
    """An archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, when)
            info.compress_type = packing
            archive.writestr(info, content)
    return file.getvalue()


def patched(archive, at, data, mark=b"PK\1\2"):
    """An archive with other bytes at an offset within its last entry of the directory."""
    place = archive.rindex(mark) + at
    return archive[:place] + data + archive[place + len(data) :]


# -- members -----------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_first_member_that_differs_is_named_with_the_place_in_it(tmp_path, packing):
    ours = zipped({"a": "1", "d/b": "1234", "c": "1"}, packing=packing)
    theirs = zipped({"a": "1", "d/b": "1254", "c": "2"}, packing=packing)
    assert difference(tmp_path, "x.zip", ours, theirs).member == MemberDifference("d/b", "bits", 2)


def test_a_member_that_one_archive_lacks(tmp_path):
    found = difference(tmp_path, "x.zip", zipped({"a": "1", "b": "1"}), zipped({"a": "1"}))
    assert found.member == MemberDifference("b", "missing")


def test_a_member_that_only_the_other_archive_has(tmp_path):
    found = difference(tmp_path, "x.zip", zipped({"a": "1"}), zipped({"a": "1", "b": "1"}))
    assert found.member == MemberDifference("b", "extra")


def test_time_stamps_alone_are_a_difference_of_the_file_but_of_no_member(tmp_path):
    ours, theirs = zipped({"a": "1"}), zipped({"a": "1"}, when=(2021, 1, 1, 12, 0, 0))
    found = difference(tmp_path, "x.zip", ours, theirs)
    assert (found.kind, found.member) == ("bits", None)
    assert found.note == "the contents of its members are equal"


def test_it_is_told_by_its_content_not_by_its_name(tmp_path):
    ours, theirs = zipped({"a": "1"}), zipped({"a": "2"})
    assert difference(tmp_path, "x.mar", ours, theirs).member.name == "a"


def test_archives_of_two_formats_are_compared_by_their_members(tmp_path):
    ours, theirs = zipped({"a/data.pkl": "1"}), zipped({"b.npy": "1"})
    found = difference(tmp_path, "x.pt", ours, theirs)
    assert found.member == MemberDifference("a/data.pkl", "missing")
    assert found.note == ""


# -- archives that lie -------------------------------------------------------------------------


def refused(tmp_path, ours, theirs):
    """The note of two archives that are not looked into."""
    found = difference(tmp_path, "x.zip", ours, theirs)
    assert found.offset is not None
    assert found.member is None
    return found.note


def test_a_bomb_is_not_unpacked(tmp_path):
    bomb = zipped({"zeros": bytes(16 << 20)}, packing=zipfile.ZIP_DEFLATED)
    claims = patched(bomb, 24, struct.pack("<I", 3 << 30))
    before = time.process_time()
    assert "far more than its size" in refused(tmp_path, bomb, claims)
    assert time.process_time() - before < 1


def test_a_member_unpacks_to_no_more_than_it_claims(tmp_path):
    bomb = zipped({"zeros": bytes(16 << 20)}, packing=zipfile.ZIP_DEFLATED)
    modest = patched(bomb, 24, struct.pack("<I", 10))
    found = difference(tmp_path, "x.zip", bomb, modest)
    assert found.note or found.member.offset <= 16 << 20


def test_members_that_overlap_are_refused(tmp_path):
    ours = zipped({"a": bytes(100), "b": bytes(100)})
    theirs = patched(ours, 42, struct.pack("<I", 10))
    assert "overlap" in refused(tmp_path, ours, theirs)


def test_an_encrypted_member_is_refused(tmp_path):
    ours = zipped({"a": "1"})
    assert "encrypted" in refused(tmp_path, ours, patched(ours, 8, b"\1"))


def test_two_members_of_one_name_are_refused(tmp_path):
    ours = zipped({"a": "1", "b": "2"})
    assert "two members alike" in refused(tmp_path, ours, patched(ours, 46, b"a"))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_cannot_be_bounded_are_refused(tmp_path, packing):
    ours, theirs = zipped({"a": "1"}, packing=packing), zipped({"a": "2"}, packing=packing)
    assert "unusual way" in refused(tmp_path, ours, theirs)


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path):
    large = zipped({"a": bytes(20 << 20)})
    claims = patched(large, 12, struct.pack("<I", 17 << 20), b"PK\5\6")
    assert "directory of the archive is too large" in refused(tmp_path, large, claims)


@pytest.mark.parametrize("keep", [4, 30, 60, -1, -30])
def test_an_archive_that_was_cut_short_leaves_the_offset_and_a_note(tmp_path, keep):
    whole = zipped({"a": "1", "b": "2"})
    found = difference(tmp_path, "x.zip", whole, whole[:keep])
    assert (found.kind, found.offset) == ("size", len(whole[:keep]))
    assert found.note


def test_a_member_with_a_false_checksum_leaves_a_note(tmp_path):
    ours = zipped({"a": "1234"})
    theirs = patched(ours, 16, b"\0\0\0\0")
    assert "CRC" in refused(tmp_path, ours, theirs)


def test_an_archive_against_a_text_is_told(tmp_path):
    found = difference(tmp_path, "x.zip", zipped({"a": "1"}), "text")
    assert found.note == "the two files are of different formats, or one is damaged"


def test_a_text_that_is_called_an_archive_is_told(tmp_path):
    found = difference(tmp_path, "x.zip", "a", "b")
    assert found.note == "it does not begin as a .zip file does"
