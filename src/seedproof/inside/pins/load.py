"""Who finishes first. Varied, the machine is busy with something else, and the threads of Python
take turns more often. Pinned, threads and processes that the user's own code starts run one after
the other, as far as they do not wait for each other."""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import wraps
from typing import Any, Callable

from seedproof.frameworks.base import Done
from seedproof.inside.pins import once_imported, uses
from seedproof.inside.pins.callers import own_place
from seedproof.inside.pins.tasks import is_busy

_OFTEN_SECONDS, _USUAL_SECONDS = 1e-4, 5e-3
_LONGEST_SECONDS = 300.0
_LOOK_SECONDS = 0.005
_IDLE_LOOKS = 20
_turns: list[bool] = []  # whether they are taken

_pause = threading.Event().wait  # `time.sleep` may be pinned


def vary(busy: int) -> Done:
    """So many other processes keep the processors busy."""
    if busy:
        sys.setswitchinterval(_OFTEN_SECONDS)
    return Done(set=(f"{busy} busy processes beside this one",))


def pin(_busy: int) -> Done:
    """From now on what the user's code starts runs by turns."""
    sys.setswitchinterval(_USUAL_SECONDS)
    if not os.path.exists("/proc/self/task"):
        return Done(missed=("the turns of threads: this system does not tell which one is busy",))
    note()
    _turns.append(True)
    return Done(set=("threads and processes that the script starts run by turns",))


def note() -> None:
    """From now on, who starts something is told."""
    _wait_for(threading.Thread, "start", lambda thread, _: _Turn(thread.is_alive))
    once_imported("multiprocessing.process", _take_turns_of_processes)
    once_imported("concurrent.futures.thread", _take_turns_of_pool)


class _Turn:
    """Something that was started: whether it still goes on, and in which process."""

    def __init__(self, goes_on: Callable[[], bool], pid: int | None = None) -> None:
        self._goes_on = goes_on
        self._pid = pid

    def wait(self) -> None:
        """Until it has ended, or waits for something itself."""
        end = time.monotonic() + _LONGEST_SECONDS
        idle = 0
        while self._goes_on() and idle < _IDLE_LOOKS and time.monotonic() < end:
            _pause(_LOOK_SECONDS)
            idle = 0 if is_busy(self._pid) else idle + 1


def _wait_for(owner: Any, name: str, turn: Callable[[Any, Any], _Turn]) -> None:
    """Makes a method that starts something wait for it, where the user's code calls it."""
    original = getattr(owner, name)
    through = owner.__module__.partition(".")[0]
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def start(self: Any, *arguments: Any, **named: Any) -> Any:
        result = original(self, *arguments, **named)
        place = own_place({through})
        if place is not None:
            uses.tell("load", place)
            if _turns:
                turn(self, result).wait()
        return result

    setattr(owner, name, start)


def _take_turns_of_processes(module: Any) -> None:
    def turn(process: Any, _: Any) -> _Turn:
        return _Turn(lambda: process.exitcode is None, process.pid)

    _wait_for(module.BaseProcess, "start", turn)


def _take_turns_of_pool(module: Any) -> None:
    def turn(_: Any, future: Any) -> _Turn:
        return _Turn(lambda: not future.done())

    _wait_for(module.ThreadPoolExecutor, "submit", turn)
