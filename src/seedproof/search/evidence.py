"""What trials with pins have shown about one place at which runs part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedproof.compare.divergence import Divergence
from seedproof.search.explanation import Count
from seedproof.search.groups import Groups
from seedproof.search.luck import LUCK, luck, runs_to_be_sure, share
from seedproof.search.trials import Trial

Tried = Callable[[Sequence[str], int], Trial]
Tell = Callable[[str], None]
_RUNS_TO_ASK = 2
_RUNS_TO_SEE_HOW_OFTEN = 8


class Evidence:
    """`tried(names, runs)` makes so many runs with these sources pinned; `tell` is told where more
    of them are needed than where runs part every time."""

    def __init__(self, tried: Tried, place: Divergence, tell: Tell) -> None:
        self.place = place
        self._tried = tried
        self._tell = tell
        self._released = Groups(place)
        self._most_frequent = 0.0
        self._asked: list[tuple[frozenset[str], bool]] = []
        self._runs = _RUNS_TO_ASK

    def release(self, trial: Trial) -> None:
        """Takes in the new ones of runs with nothing pinned of what is in question.

        Where any two of them agree, two that agree with a pin say little: every question is then
        asked of more.
        """
        self._released.add(trial.runs())
        together, alone = self._released.sizes, trial.groups(self.place).sizes
        agreeing = [share(sizes) for sizes in (together, alone) if max(sizes, default=1) > 1]
        self._most_frequent = max((*agreeing, share(together)))
        if agreeing:
            self._ask_of(runs_to_be_sure(self._most_frequent))

    def lacks_released(self) -> int:
        """How many more runs have to be released to see how often any agree; none, where no two of
        them do."""
        sizes = self._released.sizes
        return max(0, _RUNS_TO_SEE_HOW_OFTEN - sum(sizes)) if max(sizes, default=1) > 1 else 0

    def be_sure(self) -> None:
        """From now on every question is asked of as many runs as make luck unlikely; where more
        than two were asked before, of so many beside those, since among many questions some are
        answered by luck."""
        enough = runs_to_be_sure(self._most_frequent)
        if self._runs > _RUNS_TO_ASK:
            self._ask_of(self._runs + enough - 1)
        else:
            self._runs = enough

    def agree(self, names: Sequence[str]) -> bool:
        """Whether runs agree at the place with these pinned; not by luck, as far as is known."""
        pinned = frozenset(names)
        if any(pinned <= asked for asked, agreed in self._asked if not agreed):
            return False
        for runs in _more_and_more(self._runs):
            trial = self._tried(names, runs)
            if trial.parts_at(self.place):
                self._asked.append((pinned, False))
            if not trial.agrees(self.place):
                return False
        self._asked.append((pinned, True))
        return True

    def was_released_again(self, names: Sequence[str]) -> bool:
        """Whether runs parted without these, after others had agreed with them pinned."""
        agreed = False
        for asked, agreeing in self._asked:
            if agreeing and asked.issuperset(names):
                agreed = True
            elif agreed and not agreeing and not asked.issuperset(names):
                return True
        return False

    @property
    def unpinned(self) -> Count:
        """The runs that were released."""
        return Count(self._released.parted, sum(self._released.sizes))

    @property
    def pinned(self) -> Count:
        """The runs that agreed with a pin, now that one is sure."""
        return Count(0, self._runs)

    def is_sure(self) -> bool:
        """Whether so many runs agree by luck in less than 5%."""
        return luck(self._most_frequent, self._runs) < LUCK

    def _ask_of(self, runs: int) -> None:
        if runs > self._runs:
            self._runs = runs
            part = self.unpinned
            self._tell(
                f"of {part.runs} runs {part.parted} part from the others: each pin is tried with "
                f"{runs} runs, so that they agree by luck in less than 5%"
            )


def _more_and_more(most: int) -> list[int]:
    """So many runs, after fewer: they may have told that these part."""
    runs = [_RUNS_TO_ASK]
    while 2 * runs[-1] < most:
        runs.append(2 * runs[-1])
    return list(dict.fromkeys((*runs, most)))
