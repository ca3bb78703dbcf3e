"""The number of threads, and of processors that a process sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping

from seedproof.sources.base import Source, Variable, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch

_COUNTS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # XLA's pool on a CPU
)
_FIXED = ("OMP_DYNAMIC", "MKL_DYNAMIC")


def _variables(threads: int) -> tuple[Variable, ...]:
    counts = tuple(Variable(name, str(threads)) for name in _COUNTS)
    return counts + tuple(Variable(name, "FALSE", ("false", "0")) for name in _FIXED)


def _offer(launch: Launch, threads: int) -> Launch:
    """As a machine with that many cores: fewer processors to see, or more threads asked for."""
    cores = _first_cores(threads)
    if cores is not None:
        launch = launch.with_affinity(cores)
    return launch.with_environment({name: str(threads) for name in _COUNTS})


def _first_cores(count: int) -> frozenset[int] | None:
    if not hasattr(os, "sched_getaffinity"):
        return None
    visible = sorted(os.sched_getaffinity(0))
    return frozenset(visible[:count]) if count < len(visible) else None


def _offered(hello: Mapping[str, Any]) -> int | None:
    found = str(hello.get("variables", {}).get("OMP_NUM_THREADS", ""))
    return int(found) if found.isdigit() else None


SOURCE = Source(
    id="num_threads",
    summary="the number of threads, which decides in what order numbers are added",
    explanation=(
        "A sum that is shared among threads is added up in another order for each number of "
        "threads, and floating-point addition depends on the order. Libraries take as many "
        "threads as they see cores, so another machine, or a container with fewer cores, gives "
        "another result. With several threads some kernels also race."
    ),
    fix=(
        "Fix the number of threads before the framework starts, in the environment. One thread "
        "repeats everywhere; for small networks it is often not even slower."
    ),
    links=(
        "https://github.com/pytorch/pytorch/issues/88718",
        "https://www.tensorflow.org/api_docs/python/tf/config/threading",
    ),
    parse=whole_number(1, 4096),
    pinned=lambda _seed, threads: threads,
    variables=_variables,
    variations=lambda: (1, 2, 4),
    offer=_offer,
    offered=_offered,
    by_variables=True,
)
