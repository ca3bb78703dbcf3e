"""The wall clock, as the user's own code reads it. What libraries read stays: their time-outs,
stamps and certificates.

Varied, it starts at another date and runs on as it does. Pinned, it also runs the same in every
run: it goes on with each reading and with each sleep of the main thread, not with the time that
really passes. It never stands still, since programs divide by the time between two readings, and
never falls far behind, since some wait for it.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import threading
import time
from functools import partial
from typing import Any, Callable

from seedproof.frameworks.base import Done
from seedproof.inside.pins import uses
from seedproof.inside.pins.callers import own_place
from seedproof.inside.stand_in import stand_in

_SECOND = 10**9
_TICK = _SECOND // 1000
_FARTHEST_BEHIND = 300 * _SECOND


def pin(start: str) -> Done:
    """From now on it is `start` (a date, perhaps with a time, in UTC), and it ticks."""
    return _begin(_Ticking(start))


def vary(start: str) -> Done:
    """From now on it is `start`, and it runs on."""
    return _begin(_Running(start))


def _begin(clock: _Running) -> Done:
    note()
    _current[:] = [clock]
    return Done(set=(f"time.time and datetime.now of the script's own calls, from {clock.start}",))


class _Running:
    """A clock that starts at another time."""

    def __init__(self, start: str) -> None:
        self.start = start
        at = datetime.datetime.fromisoformat(start).replace(tzinfo=datetime.timezone.utc)
        self._first = int(at.timestamp()) * _SECOND
        self._begun = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return self._first + self._passed()

    def slept(self, seconds: float) -> None:
        """The user's code has slept so long."""

    def _passed(self) -> int:
        return time.monotonic_ns() - self._begun


class _Readings(threading.local):
    """How often the clock was read, by each thread for itself."""

    count = 0


class _Ticking(_Running):
    """A clock that goes on with each reading. Threads do not move each other's clock."""

    def __init__(self, start: str) -> None:
        super().__init__(start)
        self._readings = _Readings()
        self._ahead = 0

    def now(self) -> int:
        self._readings.count += 1
        gone = self._readings.count * _TICK + self._ahead
        if self._passed() - gone > _FARTHEST_BEHIND:
            self._ahead += _FARTHEST_BEHIND
            gone += _FARTHEST_BEHIND
        return self._first + gone

    def slept(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            self._ahead += int(seconds * _SECOND)


_current: list[_Running] = []  # the clock that the user's code reads, none for the system's


def _now() -> int | None:
    """What the user's code reads, None where that is the system's clock."""
    place = own_place()
    if place is None:
        return None
    uses.tell("clock", place)
    return _current[0].now() if _current else None


def note() -> None:
    """From now on, who reads the clock is told."""
    stand_in(time, "time", partial(_reading, lambda now: now / _SECOND))
    stand_in(time, "time_ns", partial(_reading, lambda now: now))
    for name in ("localtime", "gmtime", "ctime"):
        stand_in(time, name, _of_a_time)
    stand_in(time, "strftime", _formatted)
    stand_in(time, "sleep", _sleeping)
    for name, make in (("now", _datetime_now), ("utcnow", _datetime_utcnow)):
        _replace_class_method(datetime.datetime, name, make)


def _reading(shown: Callable[[int], Any], original: Any) -> Callable[[], Any]:
    def call() -> Any:
        now = _now()
        return original() if now is None else shown(now)

    return call


def _of_a_time(original: Any) -> Callable[..., Any]:
    def call(seconds: Any = None) -> Any:
        now = _now() if seconds is None else None
        return original(seconds if now is None else now / _SECOND)

    return call


def _formatted(original: Any) -> Callable[..., str]:
    def call(form: str, *at: Any) -> str:
        now = None if at else _now()
        return str(original(form, *at) if now is None else original(form, _local(now)))

    return call


def _local(now: int) -> time.struct_time:
    return time.localtime(now / _SECOND)


def _sleeping(original: Any) -> Callable[[float], None]:
    def call(seconds: float) -> None:
        original(seconds)
        if _current and own_place() is not None:
            _current[0].slept(seconds)

    return call


# -- datetime ----------------------------------------------------------------------------------


def _datetime_now(original: Any) -> Any:
    def now(cls: Any, tz: Any = None) -> Any:
        found = _now()
        return original(cls, tz) if found is None else cls.fromtimestamp(found / _SECOND, tz)

    return now


def _datetime_utcnow(original: Any) -> Any:
    def utcnow(cls: Any) -> Any:
        found = _now()
        if found is None:
            return original(cls)
        return cls.fromtimestamp(found / _SECOND, datetime.timezone.utc).replace(tzinfo=None)

    return utcnow


def _replace_class_method(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Replaces a class method of a class that is written in C.

    A subclass put in its place would be another class to whoever asks exactly for this one:
    `sqlite3`, `pickle` and many that write JSON do.
    """
    original = vars(owner)[name]
    if isinstance(original, classmethod):
        return
    (attributes,) = gc.get_referents(vars(owner))
    attributes[name] = classmethod(make(lambda cls, *given: original.__get__(None, cls)(*given)))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
