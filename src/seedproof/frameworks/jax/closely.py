"""Every equation of the compiled calls of one training step: for a close look.

What is compiled is left as it is. Beside it, after the call, its jaxpr is evaluated equation by
equation from the same arguments. That is not the program that trains, since XLA fuses and reorders
what stands here one by one; so what is found in this way is a hint. The script's own code is not
called again for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Sequence

import jax
import numpy as np

from seedproof.frameworks.jax import values as jax_values
from seedproof.frameworks.jax.look import look
from seedproof.inside.operations import Operations
from seedproof.inside.pins.callers import own_line

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.inside.pins.callers import Place
    from seedproof.inside.recorder import Recorder

_GIVEN = jax_values.VALUES - {jax_values.SCALAR}
# Equations that are calls, by the parameter that holds what they call.
_CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_CALLS = (
    *("jit", "pjit", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"),
    *("closed_call", "core_call", "checkpoint", "remat2"),
)


class Closely:
    """Looks at the calls from the end of the step before `step` to its own end."""

    def __init__(self, recorder: Recorder, step: int) -> None:
        self._recorder = recorder
        self._step = step
        self._operations = Operations(recorder, beside=True)

    def before(
        self, function: Function, is_step: bool, arguments: Any, named: Any
    ) -> tuple[Any, Any] | None:
        """What a call is about to be given, to be there after it too; None where it neither is
        the step nor belongs to it."""
        made = self._recorder.step() + 1
        if made != self._step and (made != self._step + 1 or is_step):
            return None
        return _kept((arguments, named)) if function.donates else (arguments, named)

    def evaluate(self, traced: Any, taken: tuple[Any, Any], result: Any) -> None:
        """Evaluates what a call was traced to, up to an equation that reaches out of it: that, and
        what follows, is seen in the call's own result."""
        try:
            closed = traced.jaxpr
            self._evaluated(closed.jaxpr, closed.consts, _leaves(taken, closed))
        except _ReachesOutError as found:
            leaves = jax.tree_util.tree_leaves(result)
            self._operations.tell(found.name, found.place, _words(found.inputs), _words(leaves))
        except Exception as error:
            self._recorder.event("note", text=f"not every equation was looked at: {error!r}")

    def _evaluated(
        self, jaxpr: Any, constants: Any, values: Sequence[Any], place: Place | None = None
    ) -> list[Any]:
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, constants))
        known.update(zip(jaxpr.invars, values))

        def read(variable: Any) -> Any:
            return _value_of(variable) if _is_literal(variable) else known[variable]

        for equation in jaxpr.eqns:
            at = _place(equation) or place  # what a library compiled has a line where it is called
            called = _called(equation)
            if called is not None:
                outputs = self._evaluated(*called, list(map(read, equation.invars)), at)
            else:
                given = [one for one in equation.invars if not _is_literal(one)]
                outputs = self._carried_out(jaxpr, equation, given, list(map(read, given)), at)
            known.update(zip(equation.outvars, outputs))
        return list(map(read, jaxpr.outvars))

    def _carried_out(
        self, jaxpr: Any, equation: Any, given: Any, inputs: list[Any], place: Place | None
    ) -> list[Any]:
        name = equation.primitive.name
        if _reaches_out(equation):
            if not equation.outvars:  # it prints, say
                return []
            raise _ReachesOutError(f"{name} and what follows", place, inputs)
        alone = jaxpr.replace(constvars=[], invars=given, outvars=equation.outvars, eqns=[equation])
        outputs = list(jax.core.eval_jaxpr(alone, (), *inputs))
        self._operations.tell(name, place, _words(inputs), _words(outputs))
        return outputs


class _ReachesOutError(Exception):
    """An equation that must not be carried out twice: it calls the script's own code, or has an
    effect."""

    def __init__(self, name: str, place: Place | None, inputs: Sequence[Any]) -> None:
        super().__init__(name)
        self.name = name
        self.place = place
        self.inputs = inputs


def _reaches_out(equation: Any) -> bool:
    """Whether an equation, or one within it, calls the host or has an effect."""
    if equation.effects or "callback" in equation.primitive.name:
        return True
    return any(_reaches_out(inner) for jaxpr in _within(equation) for inner in jaxpr.eqns)


def _within(equation: Any) -> Iterator[Any]:
    for parameter in equation.params.values():
        for one in parameter if isinstance(parameter, (tuple, list)) else [parameter]:
            jaxpr = getattr(one, "jaxpr", one)
            if hasattr(jaxpr, "eqns"):
                yield jaxpr


def _is_literal(variable: Any) -> bool:
    return hasattr(variable, "val")


def _value_of(literal: Any) -> Any:
    return np.asarray(literal.val, literal.aval.dtype)


def _called(equation: Any) -> tuple[Any, Any] | None:
    """What an equation calls, with its constants; None where it is no call."""
    if equation.primitive.name not in _CALLS:
        return None
    found = [equation.params[name] for name in _CALLED if name in equation.params]
    jaxpr = found[0]
    return (jaxpr.jaxpr, jaxpr.consts) if hasattr(jaxpr, "jaxpr") else (jaxpr, ())


def _leaves(taken: tuple[Any, Any], closed: Any) -> list[Any]:
    """The leaves that a jaxpr takes: those that are static are no part of it."""
    leaves: list[Any] = jax.tree_util.tree_leaves(taken)
    if len(leaves) != len(closed.jaxpr.invars):
        leaves = [leaf for leaf in leaves if jax_values.kind_of(leaf) in _GIVEN]
    if len(leaves) != len(closed.jaxpr.invars):
        raise NotImplementedError("some numbers that it is given are static")
    return leaves


def _words(values: Sequence[Any]) -> list[int]:
    return [int(word) for word in look(values)]


def _place(equation: Any) -> Place | None:
    traceback = equation.source_info.traceback
    frames = [] if traceback is None else traceback.frames
    return own_line((frame.file_name, frame.line_num) for frame in frames)


def _kept(values: Any) -> Any:
    """Copies of what a call may use up."""

    def copied(leaf: Any) -> Any:
        return leaf.copy() if jax_values.kind_of(leaf) in jax_values.ON_DEVICE else leaf

    return jax.tree_util.tree_map(copied, values)
