"""`seedproof.make_deterministic`: the article's `setSeed` as one call, for a plain script."""

from __future__ import annotations

import os
import sys
import warnings
from functools import partial
from typing import Any, Iterable, NamedTuple

from seedproof import frameworks
from seedproof.inside.import_hook import when_imported
from seedproof.sources import CATALOGUE


class Report(NamedTuple):
    """What a call could set in this process, and what it could not.

    Frameworks that are imported later are pinned then, and add their lines then.
    """

    set: list[str]
    missed: list[str]


def set_seed(seed: int) -> Report:
    """Seeds `random`, NumPy, TensorFlow and PyTorch: those imported now, the others when they are.

    `seed` is a whole number from 0 to 2**32 - 1; ValueError otherwise. JAX has no global
    generator to seed. A generator made without a seed, such as `numpy.random.default_rng()`,
    is not reached.
    """
    return _pin({"seeds": _checked(seed, "seed", 0, 2**32 - 1)})


def make_deterministic(seed: int = 0, threads: int = 1) -> Report:
    """Makes this process repeat as far as that can be done from inside it.

    Call it first thing in the program. It sets the seeds, the number of threads, deterministic
    operations, no autotuning and the order of loaded data, for TensorFlow/Keras, PyTorch, JAX and
    NumPy: those imported now, the others when they are. What can no longer be set is said, each
    with the way that works, by a warning and in `Report.missed`; the hash seed of a running
    interpreter is one.

    `seed` is a whole number from 0 to 2**32 - 1, `threads` one of at least 1; ValueError otherwise.
    """
    seed = _checked(seed, "seed", 0, 2**32 - 1)
    threads = _checked(threads, "threads", 1, 4096)
    pins = {
        "hash_seed": seed,
        "seeds": seed,
        "num_threads": threads,
        "op_determinism": True,
        "autotune": False,
        "data_order": True,
        "uninitialized_memory": "frameworks",
    }
    return _pin(pins)


def _checked(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; allowed are whole numbers from {low} to {high}")
    return value


def _pin(pins: dict[str, Any]) -> Report:
    """Pins in this process: what is imported now, and the rest when it is."""
    report = Report([], [])
    _miss(report, _read_too_early(pins))
    for source, value in pins.items():
        os.environ.update(CATALOGUE[source].environment(value, os.environ))
    for name, location in frameworks.KNOWN.items():
        when_imported(name, partial(_meet, location, pins, report))
    return report


def _miss(report: Report, lines: Iterable[str]) -> None:
    for line in lines:
        report.missed.append(line)
        warnings.warn("seedproof cannot set " + line, RuntimeWarning, stacklevel=4)


def _meet(location: str, pins: dict[str, Any], report: Report, _name: str) -> None:
    framework = frameworks.load(location)
    for source, value in pins.items():
        done = framework.pin(source, value)
        if done is not None:
            report.set.extend(done.set)
            _miss(report, done.missed)


def _read_too_early(pins: dict[str, Any]) -> list[str]:
    """Variables that a library has read already, when it was imported."""
    if "numpy" not in sys.modules or "num_threads" not in pins:
        return []
    wanted = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
    changes = CATALOGUE["num_threads"].environment(pins["num_threads"], os.environ)
    late = sorted(wanted & set(changes))
    if not late:
        return []
    start = " ".join(f"{name}={changes[name]}" for name in late)
    return [
        "the threads of NumPy's BLAS: it read {} when NumPy was imported. Start it as: {} "
        "python …".format(", ".join(late), start)
    ]
