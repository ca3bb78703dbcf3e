"""What an explanation says: where runs part, and the causes, with their proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seedproof.checking.outcome import ArmOutcome


@dataclass(frozen=True)
class Place:
    """A line of the user's code."""

    file: str
    line: int


@dataclass(frozen=True)
class Use(Place):
    """A line that was seen to use `source`."""

    source: str


@dataclass(frozen=True)
class Count:
    """Of `runs` runs, `parted` are not like most of them, or no two are alike."""

    parted: int
    runs: int


@dataclass(frozen=True)
class Cause:
    """One source, or several that are needed together.

    `proved`: with them pinned the runs agreed, as often as makes luck unlikely, and released again
    they parted; else they are `suspected`. `unpinned` and `pinned` count the runs. `varied` tells
    that the runs part only where the source is varied, not by themselves on this machine.
    """

    sources: tuple[str, ...]
    status: Literal["proved", "suspected"]
    unpinned: Count
    pinned: Count
    lines: tuple[Use, ...] = ()
    varied: bool = False


@dataclass(frozen=True)
class Explanation:
    """`outcome` is of the runs as they are. `remains` says what is left to suspect where pinning
    everything does not help, and `moves` how often and up to which step runs part that do not part
    at one step alone. `hidden` are sources that no run tells apart from a cause that was found.
    `unnamed` says why runs that were looked at closely name no operation."""

    outcome: ArmOutcome
    causes: tuple[Cause, ...] = ()
    runs: int = 0
    remains: str = ""
    operation: Operation | None = None
    moves: str = ""
    hidden: tuple[str, ...] = ()
    unnamed: str = ""


@dataclass(frozen=True)
class Operation:
    """The first operation at step `step` whose outputs differ; `outputs_alone`: its inputs were
    equal, else what differs came in there from outside. `hint`: it was carried out beside what
    trains, which may compute in another order."""

    step: int
    name: str
    place: Place | None
    outputs_alone: bool = True
    hint: bool = False
