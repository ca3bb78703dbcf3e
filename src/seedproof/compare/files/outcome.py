"""What the comparison of two runs' files found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorDifference:
    """The first tensor, in the order of the reference's file, that is not the same in both; where
    all tensors are, the first plain value beside them, as the number of an epoch.

    `kind` is `bits` (other bits), `shape` (another dtype or shape), `missing` (the other file
    lacks it) or `extra` (only the other file has it). `name` is empty where a file holds one
    tensor without a name. `dtypes` and `shapes` are those of the reference and of the other, None
    where there is no such tensor. `max_abs_diff` is in the tensor's own unit, `max_ulp` in units
    in the last place of its type, `share` the share (0 to 1) of its elements whose bits differ;
    None where that cannot be said. `is_tensor` is False for a plain value.
    """

    name: str
    kind: str
    dtypes: tuple[str | None, str | None]
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    max_abs_diff: float | None = None
    max_ulp: int | None = None
    share: float | None = None
    is_tensor: bool = True


@dataclass(frozen=True)
class MemberDifference:
    """The first member of an archive that is not the same in both.

    `kind` is `bits`, `missing` or `extra`; `offset` is that of the first differing byte in the
    unpacked member, None where one of the archives lacks it.
    """

    name: str
    kind: str
    offset: int | None = None


@dataclass(frozen=True)
class LineDifference:
    """The first line of a text, counted from 1, that is not the same in both.

    `reference` and `other` are what stands there around the first difference, with the line's end
    if it is near; None where the text ends before.
    """

    number: int
    reference: str | None
    other: str | None


@dataclass(frozen=True)
class FileDifference:
    """A file that is not the same in both.

    `path` is relative to the directories. `kind` is `bits` (other bytes), `size` (another length),
    `missing` (the other run did not write it) or `extra` (only the other run wrote it). `sizes`
    are in bytes; `offset` is that of the first differing byte, or the common length where one file
    is the beginning of the other.

    Where the format is known, `tensor` is the first difference within and `tensors` the number of
    tensors that were compared until then: all, and all are equal, where `all_tensors_equal`.
    `member` is the first differing member of an archive (looked for where `tensor` is None),
    `line` that of a text. `note` says what could not be looked at, or what else is to be known.
    """

    path: str
    kind: str
    sizes: tuple[int, int] | None = None
    offset: int | None = None
    tensor: TensorDifference | None = None
    tensors: int | None = None
    member: MemberDifference | None = None
    line: LineDifference | None = None
    note: str = ""

    @property
    def all_tensors_equal(self) -> bool:
        """Whether it holds tensors, and every one is the same in both."""
        no_tensor_differs = self.tensor is None or not self.tensor.is_tensor
        return bool(self.tensors) and no_tensor_differs


@dataclass(frozen=True)
class Unread:
    """Something that a pattern names and that was not looked at, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class FilesOutcome:
    """What came out, in the order of the paths.

    `files` is the number of files that both runs have and that were compared, `bytes` how much of
    each side was held against the other (up to a file's first difference). `unmatched` are the
    patterns that name no file of either run.
    """

    files: int
    bytes: int
    differences: tuple[FileDifference, ...] = ()
    unread: tuple[Unread, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def nothing_matched(self) -> bool:
        """Whether there was no file at all to compare, which proves nothing."""
        return not self.files and not self.differences
