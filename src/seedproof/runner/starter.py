"""Becomes the first process of a run, once it has done what must be there before that starts.

A program of its own, on the standard library alone: `starter.py ORDERS COMMAND…`, where ORDERS is
the `first` of a launch as JSON:

- `aslr`: whether the system places memory at random addresses (Linux)
- `home`: `empty` for a home directory of the run's own
- `leftovers`: `earlier` to let the command run once before, in the same place
- `busy`: how many processes keep the processors busy beside the run

It runs as the user's process, in the view that the run has, and with its environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_RUN = "_SEEDPROOF_RUN"
_NOT_AT_RANDOM = 0x0040000  # ADDR_NO_RANDOMIZE
_ASK = 0xFFFFFFFF
_NICER = 5  # the run itself goes first, and the machine stays usable
_BUSY_SECONDS = 0.02
_IDLE_SECONDS = 0.005
# What a new home has of the old one: programs and downloads, which are no settings.
_KEPT_AT_HOME = (
    *(".local/bin", ".local/lib", ".pyenv", ".conda"),
    *(".keras/datasets", ".keras/models", ".cache/huggingface", ".cache/torch", ".cache/kagglehub"),
    *("scikit_learn_data", "nltk_data", "tensorflow_datasets", "seaborn-data"),
)
_HOMES = ("HOME", "USERPROFILE")
_OF_HOME = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def started(first: Mapping[str, Any], command: Sequence[str]) -> list[str]:
    """The command line that does what is `first` and then becomes `command`."""
    if not first or sys.platform == "win32":  # there, no process can become another
        return list(command)
    return [
        sys.executable,
        "-I",
        "-S",
        os.path.abspath(__file__),
        json.dumps(dict(first)),
        *command,
    ]


def main() -> None:
    orders, command = json.loads(sys.argv[1]), sys.argv[2:]
    variables = _variables_at_start()
    if orders.get("home") == "empty":
        variables.update(_empty_home(variables))
        for name in _OF_HOME:
            variables.pop(name, None)
    if orders.get("leftovers") == "earlier":
        _run_once_before(command, variables)
    if orders.get("busy"):
        _keep_busy(orders["busy"], os.getpid())
    if "aslr" in orders:
        _place_at_random(orders["aslr"])
    _become(command, variables)


def _variables_at_start() -> dict[str, str]:
    """The environment as it was given: an interpreter adds to its own."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = [entry.partition(b"=") for entry in file.read().split(b"\0") if entry]
        return {os.fsdecode(name): os.fsdecode(value) for name, _, value in entries}
    except OSError:
        return dict(os.environ)


def _empty_home(variables: Mapping[str, str]) -> dict[str, str]:
    old, new = os.path.expanduser("~"), os.path.join(variables[_RUN], "home")
    os.makedirs(new, exist_ok=True)
    for name in _KEPT_AT_HOME:
        place = os.path.join(new, name)
        if os.path.isdir(os.path.join(old, name)) and not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(os.path.join(old, name), place)
    return {name: new for name in _HOMES if name == "HOME" or name in variables}


def _run_once_before(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """As the run to come, but recorded apart, and heard by nobody."""
    run = os.path.join(variables[_RUN], "earlier")
    os.makedirs(run, exist_ok=True)
    shutil.copy(os.path.join(variables[_RUN], "launch.json"), run)
    done = subprocess.run(
        command,
        env={**variables, _RUN: run},
        stdin=None if _rewound() else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _rewound()
    with open(os.path.join(run, "ended"), "w") as file:
        file.write(str(done.returncode))


def _rewound() -> bool:
    """Whether the standard input can be read from its beginning, as it now will be."""
    with contextlib.suppress(OSError):
        return os.lseek(0, 0, os.SEEK_SET) == 0
    return False


def _keep_busy(count: int, run: int) -> None:
    """Starts so many processes, which are no children of the run: programs may wait for all of
    theirs. They are in its process group, and end with it."""
    if os.fork():
        os.wait()
        return
    for _ in range(count):
        if not os.fork():
            _be_busy(lambda: _goes_on(run))
    os._exit(0)


def _be_busy(goes_on: Callable[[], bool]) -> None:
    os.nice(_NICER)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    chance = random.Random()  # noqa: S311
    while goes_on():
        until = time.perf_counter() + chance.random() * _BUSY_SECONDS
        while time.perf_counter() < until:
            pass
        time.sleep(chance.random() * _IDLE_SECONDS)
    os._exit(0)


def _goes_on(run: int) -> bool:
    try:
        os.kill(run, 0)
    except OSError:
        return False
    return True


def _place_at_random(at_random: bool) -> None:
    """Where the system lets us; what came of it is told inside."""
    if sys.platform == "linux":
        personality = ctypes.CDLL(None).personality
        flags = personality(_ASK)
        personality(flags & ~_NOT_AT_RANDOM if at_random else flags | _NOT_AT_RANDOM)


def _become(command: list[str], variables: dict[str, str]) -> None:
    for name in ("SIGPIPE", "SIGXFSZ"):  # an interpreter ignores them, and so would the program
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, variables)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
