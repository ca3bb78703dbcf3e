"""`seedproof.init`: the recording begun by hand, where no bootstrap can (notebooks, `-I`)."""

from __future__ import annotations

import os

from seedproof.inside import recorder
from seedproof.inside.kept_runs import RUNS, fresh_place
from seedproof.inside.run_directory import LAUNCH_FILE, RUN_VARIABLE
from seedproof.inside.start import start

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
    return os.path.abspath(os.environ[RUN_VARIABLE])


def _new_run(directory: str) -> str:
    run = os.path.abspath(fresh_place(directory, RUNS))
    with open(os.path.join(run, LAUNCH_FILE), "w", encoding="utf-8") as file:
        file.write(_LAUNCH)
    return run
