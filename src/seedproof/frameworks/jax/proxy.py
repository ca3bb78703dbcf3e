"""A compiled function as its user holds it: in every respect the original, but that calls are seen.

What `jax.jit` returns is an object of a type that nothing can be derived from. So this stands for
it, and leaves everything to it: attributes, binding to an instance, `isinstance`, pickling. It is
a key of its own, as every compiled function is, and JAX transforms it as it does any function.
"""

from __future__ import annotations

import copy
from types import MethodType
from typing import Any, Callable

from seedproof.frameworks.tracebacks import without_own_frames

_get = object.__getattribute__


class Proxy:
    """`call(original, arguments, named)` makes a call; `trace(method)` stands for each of the
    original's methods that trace it without running it."""

    __slots__ = ("__weakref__", "_call", "_original", "_trace")

    def __init__(
        self, original: Any, call: Callable[..., Any], trace: Callable[[Any], Any]
    ) -> None:
        object.__setattr__(self, "_original", original)
        object.__setattr__(self, "_call", call)
        object.__setattr__(self, "_trace", trace)

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        try:
            return _get(self, "_call")(_get(self, "_original"), arguments, named)
        except BaseException as error:
            without_own_frames(error)
            raise

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __getattribute__(self, name: str) -> Any:
        if name in _COPIED:
            return _get(self, name)
        found = getattr(_get(self, "_original"), name)
        return _get(self, "_trace")(found) if name in _TRACED else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_get(self, "_original"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_get(self, "_original"), name)

    def __dir__(self) -> Any:
        return dir(_get(self, "_original"))

    def __repr__(self) -> str:
        return repr(_get(self, "_original"))

    def __copy__(self) -> Proxy:
        return self._standing_for(copy.copy(_get(self, "_original")))

    def __deepcopy__(self, memo: Any) -> Proxy:
        return self._standing_for(copy.deepcopy(_get(self, "_original"), memo))

    def _standing_for(self, original: Any) -> Proxy:
        return Proxy(original, _get(self, "_call"), _get(self, "_trace"))


_COPIED = frozenset(("__copy__", "__deepcopy__", "_standing_for"))
_TRACED = frozenset(("eval_shape", "lower", "trace"))
