"""Real processes, for tests: which there are, and waiting for what they do."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

DEADLINE_SECONDS = 60.0
T = TypeVar("T")

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")


def wait_for(condition: Callable[[], T]) -> T:
    """What `condition` returns, once that is true; fails where it never is."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def wait_for_number(path: Path) -> int:
    """The number in a file that a process writes as one line, once the line is whole."""
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that has ended and was not waited for is none."""
    try:
        after_the_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False
    return after_the_name.split()[0] != "Z"


def with_variable(name: str, value: str) -> list[int]:
    """The processes that were started with this variable in their environment."""
    mark = os.fsencode(f"{name}={value}")
    return [pid for pid in _all() if mark in _environment(pid)]


def parent_of(pid: int) -> int:
    """The process that a process belongs to."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    """The processes that it has started and that are still there."""
    found = []
    for other in _all():
        with contextlib.suppress(OSError):  # it has ended since
            found += [other] if parent_of(other) == pid else []
    return found


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
