"""How a recording ends, whatever way the script ends: also through `os._exit`, and on purpose."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Callable, NoReturn

_LOOK_SECONDS = 0.01
_LONGEST_SECONDS = 10.0

_leave = os._exit


def before_exit(finish: Callable[[], object]) -> None:
    """Calls `finish` before `os._exit`, which runs no handlers; `multiprocessing` ends its forked
    children so, and some scripts themselves."""

    def finish_and_leave(status: int) -> NoReturn:
        finish()
        _leave(status)

    os._exit = finish_and_leave


def leave_now(wait_until: Callable[[], bool]) -> NoReturn:
    """Ends this process with status 0, once `wait_until` holds: other ranks may still wait for
    what this one has to send them."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not wait_until() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    _leave(0)
