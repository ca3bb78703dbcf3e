"""Functions that are compiled ahead of time: their stages are followed from trace to executable."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Callable

import jax

from seedproof.frameworks.jax.identity import ByIdentity
from seedproof.frameworks.tracebacks import without_own_frames

if TYPE_CHECKING:
    from seedproof.frameworks.jax.calls import Calls
    from seedproof.frameworks.jax.functions import Function

UNKNOWN = "programs that were compiled elsewhere"


class Stages:
    """Of which function each stage is."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._functions: ByIdentity[Function] = ByIdentity()
        for stage, method in (("Traced", "lower"), ("Lowered", "compile")):
            if hasattr(jax.stages, stage):
                self._follow(getattr(jax.stages, stage), method)
        self._observe_calls(jax.stages.Compiled)

    def traced(self, function: Function, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, which traces a function without calling it."""

        @functools.wraps(method)
        def trace(*arguments: Any, **named: Any) -> Any:
            try:
                made = self._calls.within(function, method, arguments, named)
            except BaseException as error:
                without_own_frames(error)
                raise
            if isinstance(made, jax.stages.Lowered) or hasattr(made, "lower"):
                self._functions.put(made, function)
            return made

        return trace

    def _follow(self, stage: Any, method: str) -> None:
        original = getattr(stage, method)

        @functools.wraps(original)
        def step(made: Any, *arguments: Any, **options: Any) -> Any:
            following = original(made, *arguments, **options)
            function = self._functions.get(made)
            if function is not None:
                self._functions.put(following, function)
            return following

        setattr(stage, method, step)

    def _observe_calls(self, compiled: Any) -> None:
        original = compiled.__call__

        @functools.wraps(original)
        def call(executable: Any, /, *arguments: Any, **named: Any) -> Any:
            function = self._functions.get(executable)
            run = functools.partial(original, executable)
            try:
                if function is None:
                    self._calls.leaves_out(UNKNOWN)
                    return run(*arguments, **named)
                return self._calls.make(function, run, arguments, named)
            except BaseException as error:
                without_own_frames(error)
                raise

        compiled.__call__ = call
