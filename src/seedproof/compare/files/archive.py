"""Zip archives, and the first member that differs; what they claim is never trusted."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from typing import IO, BinaryIO

from seedproof.compare.files.content import (
    UnreadableError,
    exactly,
    first_difference,
    size_of,
    work_limit,
)
from seedproof.compare.files.outcome import MemberDifference

_LARGEST_DIRECTORY = 16 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1


class _Bounded(io.RawIOBase):
    """A file of which nothing larger than an archive's directory is read at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise UnreadableError("the directory of the archive is too large")
        return self._file.read(_LARGEST_DIRECTORY if size < 0 else size)


class Archive:
    """A zip archive in an open `file` of `size` bytes, with its `members` that are files, in their
    order.

    Raises UnreadableError, or what `zipfile` raises, for what is damaged, encrypted, packed in
    another way than by deflate, or would unpack to far more than its size.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.size = size_of(file)
        self.file = file
        self._zip = zipfile.ZipFile(_Bounded(file))
        infos = self._zip.infolist()
        self.members = {info.filename: info for info in infos if not info.is_dir()}
        if len({info.filename for info in infos}) != len(infos):
            raise UnreadableError("it names two members alike")
        _refuse_overlaps(infos)
        if sum(info.file_size for info in infos) > work_limit(self.size):
            raise UnreadableError("it would unpack to far more than its size")

    def open(self, name: str) -> IO[bytes]:
        """A member's bytes, unpacked as they are read."""
        info = self.members[name]
        _refuse_unusual(info)
        return self._zip.open(info)

    def read(self, name: str, most: int) -> bytes:
        """All bytes of a member; UnreadableError where they are more than `most`."""
        if self.members[name].file_size > most:
            raise UnreadableError(f"its member {name} is too large")
        with self.open(name) as member:
            return member.read()

    def span(self, name: str) -> tuple[int, int]:
        """Where in the file a member's bytes lie: the offset and the length.

        UnreadableError where they are packed.
        """
        info = self.members[name]
        _refuse_unusual(info)
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise UnreadableError(f"its member {name} is packed")
        self.file.seek(info.header_offset)
        signature, named, extra = _LOCAL_HEADER.unpack(exactly(self.file, _LOCAL_HEADER.size))
        start = info.header_offset + _LOCAL_HEADER.size + named + extra
        if signature != b"PK\3\4" or start + info.file_size > self.size:
            raise UnreadableError("it is damaged")
        return start, info.file_size


def _refuse_overlaps(infos: list[zipfile.ZipInfo]) -> None:
    """Members that share bytes unpack to more than there is."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnreadableError("its members overlap")
        end = info.header_offset + _LOCAL_HEADER.size + info.compress_size


def _refuse_unusual(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableError("it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableError("it is packed in an unusual way")


def first_member(ours: Archive, theirs: Archive) -> MemberDifference | None:
    """The first member, in the order of `ours`, whose bytes differ or that only one has."""
    for name in ours.members:
        if name not in theirs.members:
            return MemberDifference(name, "missing")
        with ours.open(name) as a, theirs.open(name) as b:
            offset = first_difference(a, b)
        if offset is not None:
            return MemberDifference(name, "bits", offset)
    extra = next((name for name in theirs.members if name not in ours.members), None)
    return None if extra is None else MemberDifference(extra, "extra")
