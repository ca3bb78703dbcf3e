"""The functions that are called from outside of compiled code, and what is known of each."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections import Counter
from types import MethodType
from typing import Any, Callable, NamedTuple, Sequence

from seedproof.frameworks.jax.identity import ByIdentity

MOST_OF_A_NAME = 64  # beyond that, functions of one name share their tables

_INSTALLED = ("site-packages", "dist-packages")


class Known(NamedTuple):
    """What a library tells of one of its functions: its name, whether it is part of a training,
    the names of leaves by their paths through what it takes or returns (None where there is no
    better one), and whom to tell of steps."""

    name: str
    trains: bool
    of_argument: Callable[[Sequence[Any]], str | None]
    of_result: Callable[[Sequence[Any]], str | None]
    stepped: Callable[[], None]


class Gradient(NamedTuple):
    """Where a gradient is in what a function returns: at `place` of a tuple, None for all of it."""

    place: int | None


class Function:
    """One function of the script, however often it is compiled.

    `takes_gradients` is known once it has been traced: then each call is a step of a training.
    `feeds_itself` is known once a floating point array that it returned has come back to it.
    `gradient` says where in its result the gradient is, if all that it does is to differentiate
    another one; `donates`, that it may use up its arguments; `is_helper`, that an installed
    library has made it for its own use.
    """

    def __init__(self, fun: Any, known: Known | None) -> None:
        self.known = known
        self.own_name = known.name if known else _own_name(fun)
        self.name = ""
        self.arguments = _argument_names(fun)
        self.is_helper = known is None and _is_installed(fun)
        self.takes_gradients = False
        self.feeds_itself = False
        self.gradient: Gradient | None = None
        self.donates = False
        self.calls = 0
        self.steps = 0
        self.plans: dict[Any, Any] = {}

    def is_fed(self) -> None:
        """Something that it returned has come back to it."""
        self.feeds_itself = self.known is None or self.known.trains

    @property
    def trains(self) -> bool:
        """Whether it is known to be part of a training."""
        return self.takes_gradients or self.feeds_itself

    @property
    def returns(self) -> str:
        """The phase of what it returns in the place of its state.

        Weights come back to what has updated them; what takes gradients and is never handed back
        what it returned has returned those.
        """
        if self.gradient is not None:
            return "backward"
        if self.feeds_itself:
            return "update"
        if self.takes_gradients:
            return "backward" if self.calls > 1 else "update"
        return "forward"


class Functions:
    """All of them, named in the order of their first calls."""

    def __init__(self) -> None:
        self._known: ByIdentity[dict[Any, Function]] = ByIdentity()
        self._names: Counter[str] = Counter()
        # Tells what a library calls a function of its own, and the leaves of its arguments.
        self.describe: Callable[[Any], Known | None] = _nothing_known

    def of(self, fun: Any, gradient: Gradient | None = None) -> Function:
        """The function `fun`, or what differentiates it."""
        thing, which = _lasting(fun, gradient)
        made = self._known.get(thing)
        if made is None:
            made = {}
            with contextlib.suppress(TypeError):
                self._known.put(thing, made)
        if which not in made:
            made[which] = Function(fun, self.describe(fun))
            made[which].gradient = gradient
        return made[which]

    def name(self, function: Function) -> None:
        """Names it, at its first call from outside."""
        if not function.name:
            self._names[function.own_name] += 1
            number = min(self._names[function.own_name], MOST_OF_A_NAME)
            more = f"({number})" if number > 1 else ""
            function.name = function.own_name + more


def _nothing_known(_: Any) -> None:
    """No library has told anything of a function."""


def _lasting(fun: Any, gradient: Gradient | None) -> tuple[Any, Any]:
    """What of a function lasts, and what tells apart all that is made of that: a method is bound
    anew whenever it is asked for, and what is differentiated is often written within the loop.
    """
    if isinstance(fun, MethodType):
        return fun.__self__, (fun.__func__, gradient)
    code = None if gradient is None else getattr(_innermost(fun), "__code__", None)
    return (fun if code is None else code), gradient


class Tracing(threading.local):
    """The functions that this thread is in the midst of calling or tracing, the outermost first."""

    def __init__(self) -> None:
        self.stack: list[Function] = []

    def notice_gradient(self) -> None:
        """A gradient is being taken."""
        for function in self.stack:
            function.takes_gradients = True


def _innermost(fun: Any) -> Any:
    """What the user wrote, within what libraries and `functools.partial` have put around it."""
    inner = inspect.unwrap(fun)
    while not hasattr(inner, "__qualname__") and hasattr(inner, "func"):
        inner = inspect.unwrap(inner.func)
    return inner


def _own_name(fun: Any) -> str:
    """As it is written in the script, without the function that it is defined in."""
    inner = _innermost(fun)
    name = str(getattr(inner, "__qualname__", None) or type(inner).__name__)
    return name.rpartition("<locals>.")[2]


def _is_installed(fun: Any) -> bool:
    code = getattr(_innermost(fun), "__code__", None)
    return any(place in getattr(code, "co_filename", "") for place in _INSTALLED)


def _argument_names(fun: Any) -> tuple[list[str], str]:
    """The names of positional arguments, and that of those beyond."""
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        return [], ""
    beyond = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in positional], "".join(beyond)
