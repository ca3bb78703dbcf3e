"""Which format a file has, told by how it begins, and what differs inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from seedproof.compare.files import hdf5, npy, safetensors, torch_zip
from seedproof.compare.files.archive import Archive, first_member
from seedproof.compare.files.content import (
    MissingReaderError,
    UnreadableError,
    size_of,
    work_limit,
)
from seedproof.compare.files.outcome import FileDifference
from seedproof.compare.files.tensor import Tensor, first_difference
from seedproof.compare.files.text import with_line

T = TypeVar("T")
Opened = TypeVar("Opened", BinaryIO, Archive)
Reader = Callable[[Opened, ExitStack], Sequence[Tensor]]

_HEAD_BYTES = 16
_ZIP = "zip"
_LONGEST_REASON = 100
_FILES: dict[str, Reader[BinaryIO]] = {
    "npy": lambda file, _: npy.tensors_of_npy(file),
    "safetensors": lambda file, _: safetensors.tensors_of_safetensors(file),
    "hdf5": hdf5.tensors_of_hdf5,
}
_SUFFIXES = {
    *(".npy", ".npz", ".safetensors", ".pt", ".pth", ".ckpt", ".keras", ".h5", ".hdf5", ".zip")
}


def look_inside(found: FileDifference, ours: BinaryIO, theirs: BinaryIO) -> FileDifference:
    """What is known of a file whose bytes differ, completed by what differs in it.

    What cannot be read leaves a note; nothing is raised.
    """
    try:
        return _by_format(found, ours, theirs)
    except Exception as error:
        return _noted(found, error)


def _by_format(found: FileDifference, ours: BinaryIO, theirs: BinaryIO) -> FileDifference:
    kind, other = _kind(ours), _kind(theirs)
    if kind != other:
        return replace(found, note="the two files are of different formats, or one is damaged")
    if kind == _ZIP:
        return _in_archives(found, _read_in(Archive, ours, theirs))
    if kind is not None:
        return _in_tensors(found, _FILES[kind], (ours, theirs))
    suffix = PurePosixPath(found.path).suffix.lower()
    if suffix in _SUFFIXES:
        return replace(found, note=f"it does not begin as a {suffix} file does")
    return with_line(found, ours, theirs)


def _kind(file: BinaryIO) -> str | None:
    size = size_of(file)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return _ZIP
    if head.startswith(npy.MAGIC):
        return "npy"
    if head.startswith(hdf5.MAGIC):
        return "hdf5"
    return "safetensors" if safetensors.begins_so(head, size) else None


def _in_archives(found: FileDifference, both: tuple[Archive, Archive]) -> FileDifference:
    """The first tensor that differs; where there is none, the first member."""
    reader, other = map(_archive_reader, both)
    if reader is not None and reader is other:
        try:
            found = _in_tensors(found, reader, both)
        except Exception as error:
            found = _noted(found, error)
    return found if found.tensor is not None else _with_member(found, both)


def _with_member(found: FileDifference, both: tuple[Archive, Archive]) -> FileDifference:
    try:
        member = first_member(*both)
    except Exception as error:
        return found if found.note else _noted(found, error)
    if member is None and not found.note:
        return replace(found, note="the contents of its members are equal")
    return replace(found, member=member)


def _archive_reader(archive: Archive) -> Reader[Archive] | None:
    names = archive.members
    if any(name.endswith("/" + torch_zip.PICKLE) for name in names):
        return _torch
    if hdf5.KERAS_WEIGHTS in names:
        return hdf5.tensors_of_keras
    return _npz if any(name.endswith(npy.SUFFIX) for name in names) else None


def _torch(archive: Archive, _: ExitStack) -> list[Tensor]:
    return torch_zip.tensors_of_torch(archive)


def _npz(archive: Archive, _: ExitStack) -> list[Tensor]:
    return npy.tensors_of_npz(archive)


def _in_tensors(
    found: FileDifference, read: Reader[Opened], both: tuple[Opened, Opened]
) -> FileDifference:
    with ExitStack() as opened:
        ours, theirs = _read_in(lambda file: read(file, opened), *both)
        limit = work_limit(max(found.sizes or (0,)))
        difference, tensors = first_difference(ours, theirs, limit)
    return replace(found, tensor=difference, tensors=tensors)


def _read_in(read: Callable[[Opened], T], ours: Opened, theirs: Opened) -> tuple[T, T]:
    """Both, read; UnreadableError that says which of the two could not be."""
    return _read(read, ours, "first"), _read(read, theirs, "second")


def _read(read: Callable[[Opened], T], file: Opened, which: str) -> T:
    # Whatever a foreign file makes a reader stumble over: its bytes differ all the same.
    try:
        return read(file)
    except MissingReaderError:
        raise
    except Exception as error:
        raise UnreadableError(f"{_reason(error)} (the {which} run's file)") from None


def _noted(found: FileDifference, error: Exception) -> FileDifference:
    return replace(found, note=f"what it holds was not compared: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    said = next(iter(str(error).splitlines()), "")
    return f"it cannot be read ({said[:_LONGEST_REASON] or type(error).__name__})"
