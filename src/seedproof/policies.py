"""The named sets of pins. A policy is an ordered set of source ids with the values they take."""

from __future__ import annotations

from collections.abc import Mapping

from seedproof.launch import Value

_SEEDED = ("seeds", "hash_seed")
_DETERMINISTIC = (*_SEEDED, "op_determinism", "autotune", "num_threads")

POLICIES: Mapping[str, tuple[str, ...]] = {
    "as-is": (),
    "seeded": _SEEDED,
    "deterministic": _DETERMINISTIC,
}


def pins_of(policy: str, seed: int, threads: int) -> dict[str, Value]:
    """The pins of `policy`, which must be a name in `POLICIES`, with their values."""
    values: dict[str, Value] = {
        "seeds": seed,
        "hash_seed": seed,
        "op_determinism": True,
        "autotune": False,
        "num_threads": threads,
    }
    return {source: values[source] for source in POLICIES[policy]}
