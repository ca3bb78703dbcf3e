"""Which sources to suspect, from where runs part and from what they were seen to use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from seedproof.compare.divergence import Divergence
from seedproof.search.explanation import Operation
from seedproof.sources import CATALOGUE

# The most specific first: a broad one (one thread, say) silences races that it did not cause, and
# memory that nobody wrote holds addresses.
_SPECIFIC_FIRST = (
    *("entropy", "file_order", "clock", "leftovers", "hash_seed", "seeds"),
    *("uninitialized_memory", "aslr", "data_order", "load"),
    *("op_determinism", "num_threads", "autotune"),
    *("locale", "timezone", "home", "working_dir", "environment"),
)
# What parts two runs on one machine, one after the other, and would not have been seen in use: what
# a script does by itself, what hands data on, and what computes. Of each four, two questions single
# out one; the last of them takes the most runs.
_FROM_THE_SCRIPT = ("uninitialized_memory", "hash_seed", "aslr", "seeds")
_FROM_DATA = ("data_order", "hash_seed", "aslr", "seeds")
_FROM_KERNELS = ("uninitialized_memory", "op_determinism", "num_threads")
_FROM_AN_OPERATION = ("seeds", *_FROM_KERNELS)
_LIKELY = tuple(dict.fromkeys((*_FROM_THE_SCRIPT, *_FROM_DATA, *_FROM_KERNELS)))
_WITH_KERNELS = ("tensorflow", "torch", "jax")
_BEFORE_GRADIENTS = ("init", "forward", "loss")
_LEFT_OUT = ("cpu_isa",)  # it changes results on one machine, and parts no runs there


@dataclass(frozen=True)
class Suspects:
    """`seen` are those that something speaks for, `likely` those that part runs at such a place,
    `others` all that remain; what silences what it did not cause stands behind that."""

    seen: tuple[str, ...]
    likely: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """Every one of them, the likeliest first."""
        return [*self.seen, *self.likely, *self.others]


def suspects(
    used: Iterable[str],
    generators_differ: bool,
    pinned: Collection[str],
    likely: Sequence[str] = _LIKELY,
) -> Suspects:
    """Every source that is not pinned yet.

    `used` are the sources that the user's own code was seen to use, and `generators_differ` tells
    that the state of a global generator was not the same when the runs parted.
    """
    order = dict.fromkeys((*_SPECIFIC_FIRST, *CATALOGUE))
    names = [name for name in order if name not in pinned and name not in _LEFT_OUT]
    speaks = {*used, *(["seeds"] if generators_differ else [])}
    seen = tuple(name for name in names if name in speaks)
    likely = tuple(name for name in likely if name in names and name not in seen)
    others = tuple(name for name in names if name not in {*seen, *likely})
    return Suspects(seen, likely, others)


def has_kernels(imported: Collection[str]) -> bool:
    """Whether any package is among these whose operations can be seen."""
    return not set(_WITH_KERNELS).isdisjoint(imported)


def likely_at(
    place: Divergence,
    imported: Collection[str],
    seen: Collection[str],
    operation: Operation | None = None,
) -> Sequence[str]:
    """What is likely to part runs first at this place, in the order in which to ask; `imported` are
    the packages that the script had, and `seen` the phases of which anything was recorded."""
    likely = _likely(place, imported, seen, operation)
    if "torch" in imported or not has_kernels(imported):
        return likely
    return tuple(name for name in likely if name != "uninitialized_memory")


def _likely(
    place: Divergence,
    imported: Collection[str],
    seen: Collection[str],
    operation: Operation | None,
) -> Sequence[str]:
    """An `operation` that makes other outputs of equal inputs draws, computes in another order or
    reads what nobody wrote. Gradients that part after a loss that did not have their cause in what
    computes, data in what hands them on, unless PyTorch does, in order; and where no gradient was
    seen, in any."""
    if operation is not None and operation.outputs_alone:
        return _FROM_AN_OPERATION
    if not has_kernels(imported):
        return _FROM_THE_SCRIPT
    if place.phase == "data":
        return _FROM_THE_SCRIPT if "torch" in imported else _FROM_DATA
    if place.phase == "backward":
        return _FROM_KERNELS
    return _FROM_THE_SCRIPT if place.phase in _BEFORE_GRADIENTS or "backward" in seen else _LIKELY
