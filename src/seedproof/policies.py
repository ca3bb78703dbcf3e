"""The named sets of pins. A policy is an ordered set of source ids with the values they take."""

from __future__ import annotations

from collections.abc import Mapping

from seedproof.launch import Value
from seedproof.sources import CATALOGUE

_SEEDED = ("seeds", "hash_seed")
_DETERMINISTIC = (
    *_SEEDED,
    *("op_determinism", "autotune", "num_threads", "data_order", "uninitialized_memory"),
)

POLICIES: Mapping[str, tuple[str, ...]] = {
    "as-is": (),
    "seeded": _SEEDED,
    "deterministic": _DETERMINISTIC,
    "portable": (*_DETERMINISTIC, "cpu_isa"),
}


def pins_of(policy: str, seed: int, threads: int) -> dict[str, Value]:
    """The pins of `policy`, which must be a name in `POLICIES`, with their values."""
    return {source: CATALOGUE[source].pinned(seed, threads) for source in POLICIES[policy]}
