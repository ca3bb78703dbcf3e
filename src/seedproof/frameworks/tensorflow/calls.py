"""The outermost calls of `tf.function`s: the edge of what one call computes, seen from outside.

Whoever learns during a call, while its graph is traced, that the function trains can watch it:
it is told before and after every later call, and after this one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, TypeVar
from weakref import WeakKeyDictionary

import tensorflow as tf

from seedproof.frameworks.tracebacks import instead_of

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Watcher:
    """Told of the outermost calls of one function."""

    def before(self) -> None:
        """A call begins."""

    def after(self, arguments: Any, result: Any) -> None:
        """A call has returned `result`."""


W = TypeVar("W", bound=Watcher)


class Calls:
    """Knows which function is being called, and who watches it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._thread = threading.local()
        self._latest: Any = None
        self._watchers: Any = WeakKeyDictionary()

    def observe(self) -> None:
        """Wraps the call of every `tf.function`, those that exist already too."""
        owner = type(tf.function(lambda: None))
        call = owner.__call__

        @instead_of(call)
        def wrapper(function: Any, *arguments: Any, **named: Any) -> Any:
            if self._has_begun_here() or not tf.executing_eagerly():
                return call(function, *arguments, **named)
            return self._outermost(call, function, arguments, named)

        owner.__call__ = wrapper

    def is_inside(self) -> bool:
        """Whether a function is being called."""
        return self._current() is not None

    def watched(self, make: Callable[[], W]) -> W | None:
        """The watcher of the function that is being called, made if it has none; None outside."""
        function = self._current()
        if function is None:
            return None
        if function not in self._watchers:
            self._watchers[function] = make()
        watcher: W = self._watchers[function]
        return watcher

    def _current(self) -> Any:
        """The threads in which a distribution strategy traces its replicas have begun no call."""
        return getattr(self._thread, "function", None) or self._latest

    def _has_begun_here(self) -> bool:
        return getattr(self._thread, "function", None) is not None

    def _outermost(self, call: Any, function: Any, arguments: Any, named: Any) -> Any:
        self._thread.function = self._latest = function
        try:
            self._tell(function, "before")
            result = call(function, *arguments, **named)
            self._tell(function, "after", (arguments, named), result)
            return result
        finally:
            self._thread.function = self._latest = None

    def _tell(self, function: Any, what: str, *facts: Any) -> None:
        watcher = self._watchers.get(function)
        if watcher is None:
            return
        try:
            getattr(watcher, what)(*facts)
        except Exception:
            self._recorder.trouble(what + " a call")
