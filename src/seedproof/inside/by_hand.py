"""`seedproof.init`: the recording begun by hand, where no bootstrap can (notebooks, `-I`)."""

from __future__ import annotations

import os
import time

from seedproof.inside import recorder
from seedproof.inside.start import LAUNCH_FILE, RUN_VARIABLE, start

RUNS = "runs"
_LAUNCH = '{"pins": {}, "inside_environment": {}}\n'


def init(directory: str = ".seedproof") -> str:
    """Begins to record this process; call it before anything trains.

    Under `seedproof check` or `run` this does what the bootstrap would have done, and nothing
    where it has. Elsewhere, as in a notebook, it makes a run of its own below `directory`, which
    `seedproof diff` compares with others; it ends with the process. Functions that were compiled
    by `jax.jit` before this call are not seen.

    Returns the directory of the run. Raises OSError where it cannot be written.
    """
    if recorder.current() is None:
        if RUN_VARIABLE not in os.environ:
            os.environ[RUN_VARIABLE] = _new_run(directory)
        start()
    return os.environ[RUN_VARIABLE]


def _new_run(directory: str) -> str:
    os.makedirs(os.path.join(directory, RUNS), exist_ok=True)
    ignore = os.path.join(directory, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8") as file:
            file.write("*\n")
    run = os.path.abspath(_fresh(os.path.join(directory, RUNS)))
    with open(os.path.join(run, LAUNCH_FILE), "w", encoding="utf-8") as file:
        file.write(_LAUNCH)
    return run


def _fresh(parent: str) -> str:
    """A directory that nobody else has, named by the time in UTC, so that names sort by it."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(1000):
        path = os.path.join(parent, f"{stamp}-{number:03}" if number else stamp)
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        return path
    raise OSError(f"a thousand runs in one second in {parent}")
