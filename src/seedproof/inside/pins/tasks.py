"""Which threads are at work, as Linux tells."""

from __future__ import annotations

import threading

try:
    from posix import listdir  # that of `os` may be pinned
except ImportError:
    from os import listdir

_AT_WORK = (b"R", b"D")  # runs or could run; waits for a disk


def is_busy(pid: int | None = None) -> bool:
    """Whether a thread of a process is at work; of this one (None), another than the caller."""
    own = "" if pid is not None else str(threading.get_native_id())
    place = f"/proc/{'self' if pid is None else pid}/task"
    try:
        others = (task for task in listdir(place) if task != own)
        return any(_state(f"{place}/{task}") in _AT_WORK for task in others)
    except OSError:
        return False  # it has ended


def _state(task: str) -> bytes:
    try:
        with open(f"{task}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1]
    except OSError:
        return b""  # this thread has ended
