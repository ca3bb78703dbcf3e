"""The article's text file, read strictly: a damaged file is refused, never half understood."""

from __future__ import annotations

import math
import os
import re
from array import array
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seedproof.errors import UsageError
from seedproof.experiments.article_results import STAMP_FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, NoReturn

MAX_LINE = 1000  # characters; a line of this format has about 50

_STAMP = re.compile(r"[0-9]{8}-[0-9]{6}")
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)
_STAMP_RULE = "a time stamp like 20201002-230020"
_ROW_RULE = "a line `FOLD LOSS ACCURACY`"


@dataclass(frozen=True)
class ArticleResults:
    """What a text file holds.

    Attributes:
        runs: number of runs, at least 1.
        folds: number of folds in each run, at least 1.
        values: loss and accuracy of fold 0 of the first run, of its fold 1, … of the last run.
        seconds: summed gaps between the stamps; None where the clock went backwards.
        backwards_line: the line of the first stamp earlier than the one before it, if any.
    """

    runs: int
    folds: int
    values: array[float]
    seconds: int | None
    backwards_line: int | None


def read_results(path: str | os.PathLike[str]) -> ArticleResults:
    """Read a text file of the article, with Windows line ends too.

    nan and inf are legal: they are what a training that blew up prints. Stamps that go backwards
    are legal as well (clocks are set, runs side by side overtake each other), but then no time
    can be told. Blank lines are skipped.

    Raises:
        UsageError: the file cannot be read, or its first damage as `PATH:LINE: found, allowed`.
    """
    reader = _Reader(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            for line in _lines(file):
                reader.take(line)
    except OSError as error:
        raise UsageError(
            f"{reader.path}: cannot be read ({error.strerror}); "
            "name a text file that `seedproof demo` or the article's program wrote"
        ) from error
    return reader.finish()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most MAX_LINE + 1 characters: enough to see that one is too long."""
    while line := file.readline(MAX_LINE + len("\r\n") + 1):
        yield line.rstrip(b"\r\n")[: MAX_LINE + 1]


class _Reader:
    """Takes the lines one by one and knows what is due next."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 0
        self.values = array("d")
        self.runs = 0
        self.folds: int | None = None  # what the first run has, once that is complete
        self.due = 0
        self.last_stamp: datetime | None = None
        self.seconds = 0
        self.backwards_line: int | None = None

    def take(self, line: bytes) -> None:
        self.line += 1
        fields = self._text(line).split()
        if len(fields) == 1:
            self._begin_run(fields[0])
        elif len(fields) == 3:
            self._add_fold(*fields)
        elif fields:
            self._refuse(f"{len(fields)} fields", f"{_ROW_RULE} or {_STAMP_RULE}")

    def finish(self) -> ArticleResults:
        self.line = max(self.line, 1)
        if not self.runs:
            self._refuse("no run", f"{_STAMP_RULE}, then {_ROW_RULE} for each fold")
        self._end_run()
        assert self.folds is not None
        seconds = None if self.backwards_line else self.seconds
        return ArticleResults(self.runs, self.folds, self.values, seconds, self.backwards_line)

    def _text(self, line: bytes) -> str:
        if len(line) > MAX_LINE:
            self._refuse(f"a line of more than {MAX_LINE} characters", f"at most {MAX_LINE}")
        text = line.decode("latin-1").replace("\t", " ")
        if not (text.isascii() and text.isprintable()):
            self._refuse(f"{_shown(text)}, which is no plain text", f"{_ROW_RULE} in ASCII")
        return text

    def _begin_run(self, text: str) -> None:
        stamp = _as_stamp(text)
        if stamp is None:
            self._refuse(_shown(text), f"{_STAMP_RULE} or {_ROW_RULE}")
        if self.runs:
            self._end_run()
        self.runs += 1
        self.due = 0
        gap = stamp - (self.last_stamp or stamp)
        self.seconds += gap.days * 86400 + gap.seconds
        if gap.days < 0 and self.backwards_line is None:
            self.backwards_line = self.line
        self.last_stamp = stamp

    def _end_run(self) -> None:
        folds = self.folds or max(self.due, 1)
        if self.due < folds:
            self._refuse(
                f"the end of run {self.runs}, whose fold {self.due} is missing",
                f"the folds 0 to {folds - 1} in every run, as in the first",
            )
        self.folds = folds

    def _add_fold(self, fold: str, loss: str, accuracy: str) -> None:
        if not self.runs:
            self._refuse("a fold before the first time stamp", _STAMP_RULE)
        self._check_fold(fold)
        self.values.append(self._number(loss, "loss"))
        self.values.append(self._number(accuracy, "accuracy"))
        self.due += 1

    def _check_fold(self, text: str) -> None:
        if not text.isdecimal():
            self._refuse(f"{_shown(text)} as fold", "a whole number from 0 on")
        fold = int(text)
        if fold < self.due:
            self._refuse(f"fold {fold} a second time", "each fold once in a run, in order")
        if self.folds is not None and fold >= self.folds:
            self._refuse(f"fold {_shown(text)}", f"0 to {self.folds - 1}, as in the first run")
        if fold > self.due:
            self._refuse(f"fold {_shown(text)}", f"fold {self.due}, which is missing before it")

    def _number(self, text: str, name: str) -> float:
        value = float(text) if _NUMBER.fullmatch(text) else None
        # Digits alone that come out as infinite are beyond a double: not what any run computed.
        if value is None or (math.isinf(value) and "inf" not in text.lower()):
            self._refuse(f"{_shown(text)} as {name}", "a number like 0.0410362, nan or inf")
        return value

    def _refuse(self, found: str, allowed: str) -> NoReturn:
        raise UsageError(f"{self.path}:{self.line}: found {found}; allowed is {allowed}")


def _as_stamp(text: str) -> datetime | None:
    try:
        # strptime alone would take a shortened stamp too.
        return datetime.strptime(text, STAMP_FORMAT) if _STAMP.fullmatch(text) else None
    except ValueError:
        return None


def _shown(text: str) -> str:
    return f"{text!a}" if len(text) <= 40 else f"{text[:40]!a} ..."
