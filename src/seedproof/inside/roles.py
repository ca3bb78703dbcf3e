"""What a process is to its run: the role that names its stream, the same in every run.

`main` is the first Python process, `rankN` one that a launcher has given that rank, `…/workerN` a
child made by `multiprocessing`, `…/forkN` a bare fork, `…/SCRIPT` any other Python process. Never
a process number: that is another one each time.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, List, NamedTuple, Optional, Sequence

ROLE_VARIABLE = "_SEEDPROOF_ROLE"
MAIN = "main"
_LONGEST = 60
# By the variable that has the rank, the one that has the number of ranks.
_LAUNCHERS = {"RANK": "WORLD_SIZE", "OMPI_COMM_WORLD_RANK": "OMPI_COMM_WORLD_SIZE"}
_LOCAL = "LOCAL_RANK"  # Lightning gives its children nothing else; their parent is a rank too


class Rank(NamedTuple):
    """The place of a process among those that a launcher has started; `of` where it is known."""

    number: int
    of: Optional[int]  # noqa: UP045 - evaluated by Python 3.8


def rank() -> Rank | None:
    """The rank of this process; None without one, and for what a rank itself has started."""
    if parent_role().startswith("rank"):
        return None
    for variable, size in _LAUNCHERS.items():
        if _number(variable) is not None and _number(size) is not None:
            return Rank(int(os.environ[variable]), _number(size))
    local = _number(_LOCAL)
    return None if local is None or parent_role() == "" else Rank(local, None)


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    return int(text) if text.isdigit() and text.isascii() else None


def parent_role() -> str:
    """The role of the process that started this one, empty for the first of a run."""
    return os.environ.get(ROLE_VARIABLE, "")


def of_script() -> str:
    """The role of a process that is neither first nor a rank: by what it runs."""
    return f"{parent_role() or MAIN}/{_plain(_what_runs())}"


def of_worker(parent: str, identity: Sequence[int]) -> str:
    """The role of a child that `multiprocessing` has numbered, below the process that began it."""
    return "/".join([parent.partition("/worker")[0], *(f"worker{n}" for n in identity)])


def worker_identity() -> tuple[int, ...]:
    """The numbers that `multiprocessing` gave this process and its forebears; empty for none."""
    multiprocessing: Any = sys.modules.get("multiprocessing.process")
    if multiprocessing is None:
        return ()
    return tuple(getattr(multiprocessing.current_process(), "_identity", ()))


def starts_as_worker() -> bool:
    """Whether this interpreter was started by `multiprocessing` (or joblib's own), whose count
    tells its role later; so were their helpers, which record nothing."""
    return any(
        word.startswith(("--multiprocessing-fork", "from multiprocessing.")) or "loky" in word
        for word in _command_line()[1:]
    )


def _what_runs() -> str:
    words = _command_line()[1:]
    for at, word in enumerate(words):
        if word in ("-m", "-c"):
            return words[at + 1] if word == "-m" and at + 1 < len(words) else word
        if not word.startswith("-"):
            return os.path.basename(word)
    return "-"


def _command_line() -> List[str]:  # noqa: UP006 - evaluated by Python 3.8
    if hasattr(sys, "orig_argv"):
        return list(sys.orig_argv)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except OSError:
        return ["", *getattr(sys, "argv", [])]


def _plain(name: str) -> str:
    """A name as a directory can have it."""
    return re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", name)[:_LONGEST] or "_"
