"""The catalogue: one file per source. A new file added here appears in every verb."""

from __future__ import annotations

from seedproof.sources import (
    aslr,
    autotune,
    clock,
    cpu_isa,
    data_order,
    entropy,
    environment,
    file_order,
    hash_seed,
    home,
    leftovers,
    load,
    locale,
    num_threads,
    op_determinism,
    seeds,
    timezone,
    uninitialized_memory,
    working_dir,
)
from seedproof.sources.base import Source

# In the order in which people look: what a script draws and computes with, what it reads, where
# it runs.
_MODULES = (
    *(seeds, entropy, hash_seed, num_threads, cpu_isa, op_determinism, autotune, data_order),
    *(file_order, clock, aslr, locale, timezone, home, working_dir, environment, leftovers, load),
    uninitialized_memory,
)

CATALOGUE: dict[str, Source] = {module.SOURCE.id: module.SOURCE for module in _MODULES}
