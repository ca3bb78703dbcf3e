"""Results that come as they are ready, where the user's own code asks for them so: from
`Pool.imap_unordered` and `concurrent.futures.as_completed`. In the order in which they were asked
for is one of the orders that these promise."""

from __future__ import annotations

import time
from functools import wraps
from typing import Any, Callable, Iterator

from seedproof.frameworks.base import Done
from seedproof.inside.pins import once_imported, uses
from seedproof.inside.pins.callers import own_place

_THROUGH = frozenset({"multiprocessing", "concurrent"})
_kept: list[bool] = []  # whether they come in order


def pin(kept: bool) -> Done:
    """From now on they come in order, where `kept`."""
    if not kept:
        return Done()
    note()
    _kept.append(True)
    return Done(set=("imap_unordered and as_completed of the script's own calls in order",))


def note() -> None:
    """From now on, who takes results as they come is told."""
    once_imported("multiprocessing.pool", _keep_order_of_pools)
    once_imported("concurrent.futures", _keep_order_of_futures)


def vary(kept: bool) -> Done:
    """Has them come in order, or leaves it to chance."""
    return pin(True) if kept else Done(set=("imap_unordered and as_completed as they come",))


def _is_own() -> bool:
    place = own_place(_THROUGH)
    if place is not None:
        uses.tell("data_order", place)
    return place is not None


def _keep_order_of_pools(module: Any) -> None:
    unordered = module.Pool.imap_unordered
    if hasattr(unordered, "__wrapped__"):
        return

    @wraps(unordered)
    def imap_unordered(self: Any, *arguments: Any, **named: Any) -> Any:
        ask = self.imap if _is_own() and _kept else unordered.__get__(self)
        return ask(*arguments, **named)

    module.Pool.imap_unordered = imap_unordered


def _keep_order_of_futures(module: Any) -> None:
    as_completed: Callable[..., Iterator[Any]] = module.as_completed
    if hasattr(as_completed, "__wrapped__"):
        return

    @wraps(as_completed)
    def as_asked(fs: Any, timeout: float | None = None) -> Iterator[Any]:
        return _in_order(fs, timeout) if _is_own() and _kept else as_completed(fs, timeout)

    for place in (module, module._base):
        place.as_completed = as_asked


def _in_order(futures: Any, timeout: float | None) -> Iterator[Any]:
    from concurrent import futures as face

    end = None if timeout is None else time.monotonic() + timeout
    waiting = list(dict.fromkeys(futures))
    for at, future in enumerate(waiting):
        left = None if end is None else max(0.0, end - time.monotonic())
        if not face.wait([future], left).done:
            raise face.TimeoutError(f"{len(waiting) - at} (of {len(waiting)}) futures unfinished")
        yield future
