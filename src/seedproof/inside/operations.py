"""Every operation of one step, in the order in which the process made them: for a close look.

The rows stand in the table `hint/operations#0`, numbered from 0: which operation it was (a number
that the event `operation` explains once), and a digest of all that went in and of all that came
out. They take no part in a verdict.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, Sequence

from seedproof.trace.format import OPERATIONS, Column

if TYPE_CHECKING:
    from seedproof.inside.pins.callers import Place
    from seedproof.inside.recorder import Recorder

_COLUMNS = (Column("init", "operation"), Column("init", "inputs"), Column("init", "outputs"))


class Operations:
    """Those of this process; `beside` tells that they are no part of what trains, but were
    carried out beside it."""

    def __init__(self, recorder: Recorder, *, beside: bool = False) -> None:
        self._recorder = recorder
        self._beside = {"beside": True} if beside else {}
        self._numbers: dict[tuple[str, Place | None], int] = {}
        self._told = 0

    def tell(
        self, name: str, place: Place | None, inputs: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """One operation: its name, the line of the user's code, and the digests of its tensors."""
        number = self._number(name, place)
        words = (number, _together(inputs), _together(outputs))
        self._recorder.row(OPERATIONS, _COLUMNS, self._told, words)
        self._told += 1

    def _number(self, name: str, place: Place | None) -> int:
        if (name, place) not in self._numbers:
            number = self._numbers[name, place] = len(self._numbers)
            where = {} if place is None else {"file": place.file, "line": place.line}
            self._recorder.event("operation", number=number, name=name, **where, **self._beside)
        return self._numbers[name, place]


def _together(words: Sequence[int]) -> int:
    data = struct.pack(f"<{len(words)}Q", *words)
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
