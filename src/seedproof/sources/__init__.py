"""The catalogue: one file per source. A new file added here appears in every verb."""

from __future__ import annotations

from seedproof.sources import autotune, hash_seed, num_threads, op_determinism, seeds
from seedproof.sources.base import Source

CATALOGUE: dict[str, Source] = {
    module.SOURCE.id: module.SOURCE
    for module in (seeds, hash_seed, op_determinism, autotune, num_threads)
}
