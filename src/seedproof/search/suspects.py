"""Which sources to suspect, from where runs part and from what they were seen to use."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from seedproof.sources import CATALOGUE

# The most specific first: a broad one (one thread, say) silences races that it did not cause, and
# memory that nobody wrote holds addresses.
_SPECIFIC_FIRST = (
    *("entropy", "file_order", "clock", "leftovers", "hash_seed", "seeds"),
    *("uninitialized_memory", "aslr", "data_order", "load"),
    *("op_determinism", "num_threads", "autotune"),
    *("locale", "timezone", "home", "working_dir", "environment"),
)
# Two runs, one after the other, have these in common, or would have been seen to use them.
_UNLIKELY = (
    *("leftovers", "autotune", "locale", "timezone", "home", "working_dir", "environment"),
    *("entropy", "file_order", "clock", "load"),
)
_LEFT_OUT = ("cpu_isa",)  # it changes results on one machine, and parts no runs there


@dataclass(frozen=True)
class Suspects:
    """`seen` are those that something speaks for, `likely` those that part runs on one machine,
    `others` all that remain; in each the most specific come first."""

    seen: tuple[str, ...]
    likely: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """Every one of them, the likeliest first."""
        return [*self.seen, *self.likely, *self.others]


def suspects(used: Iterable[str], generators_differ: bool, pinned: Collection[str]) -> Suspects:
    """Every source that is not pinned yet.

    `used` are the sources that the user's own code was seen to use, and `generators_differ` tells
    that the state of a global generator was not the same when the runs parted.
    """
    order = dict.fromkeys((*_SPECIFIC_FIRST, *CATALOGUE))
    names = [name for name in order if name not in pinned and name not in _LEFT_OUT]
    speaks = {*used, *(["seeds"] if generators_differ else [])}
    seen = [name for name in names if name in speaks]
    rest = [name for name in names if name not in seen]
    return Suspects(
        tuple(seen),
        tuple(name for name in rest if name not in _UNLIKELY),
        tuple(name for name in rest if name in _UNLIKELY),
    )
