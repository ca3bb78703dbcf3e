"""The first line that differs between two texts."""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import BinaryIO

from seedproof.compare.files.content import BLOCK_BYTES, blocks
from seedproof.compare.files.outcome import FileDifference, LineDifference

_HEAD_BYTES = 1 << 13
_BYTES_BEFORE = 40
_BYTES_SHOWN = 100
_CUT = "…"
_CONTINUATION = bytes(range(0x80, 0xC0))


def with_line(found: FileDifference, ours: BinaryIO, theirs: BinaryIO) -> FileDifference:
    """A difference of two files with the line in which they part, where both look like text."""
    if found.offset is None or not (_is_text(ours) and _is_text(theirs)):
        return found
    number = 1 + _newlines_before(ours, found.offset)
    line = LineDifference(number, _around(ours, found.offset), _around(theirs, found.offset))
    return replace(found, line=line)


def _is_text(file: BinaryIO) -> bool:
    """Whether there is no NUL byte where it begins."""
    file.seek(0)
    return b"\0" not in file.read(_HEAD_BYTES)


def _newlines_before(file: BinaryIO, offset: int) -> int:
    return sum(block.count(b"\n") for block in blocks(file, 0, offset, BLOCK_BYTES))


def _around(file: BinaryIO, offset: int) -> str | None:
    """What stands around the byte at `offset` in its line; None where the text ends before."""
    start = max(0, offset - _BYTES_BEFORE)
    file.seek(start)
    before, after = file.read(offset - start), file.read(_BYTES_SHOWN)
    begun = before[before.rfind(b"\n") + 1 :]
    if not begun and not after:
        return None
    line, newline, _ = after.partition(b"\n")
    cut_before = len(begun) == offset - start and start > 0
    cut_after = not newline and len(after) == _BYTES_SHOWN
    shown = begun.lstrip(_CONTINUATION) if cut_before else begun
    text = _decoded(shown + line + newline, final=not cut_after)
    return _CUT * cut_before + text + _CUT * cut_after


def _decoded(data: bytes, final: bool) -> str:
    """As UTF-8; where the line goes on, without a letter that is cut in two."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final)
