"""Every equation of the compiled calls of one training step: for a close look.

What is compiled is left as it is. Beside it, after the call, its jaxpr is evaluated equation by
equation from the same arguments. That is not the program that trains, since XLA fuses and reorders
what stands here one by one; so what is found in this way is a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import jax

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

    def evaluate(self, traced: Any, arguments: Any, named: Any) -> None:
        """Evaluates what a call was traced to; up to an equation that has effects, or that this
        version of JAX evaluates in no such way, which is told."""
        try:
            closed = traced.jaxpr
            self._evaluated(closed.jaxpr, closed.consts, _values(arguments, named, closed))
        except Exception as error:
            self._recorder.event("note", text=f"not every equation was looked at: {error!r}")

    def _evaluated(
        self, jaxpr: Any, constants: Any, values: Sequence[Any], place: Place | None = None
    ) -> list[Any]:
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, constants))
        known.update(zip(jaxpr.invars, values))

        def read(variable: Any) -> Any:
            return variable.val if hasattr(variable, "val") else known[variable]

        for equation in jaxpr.eqns:
            inputs = [read(variable) for variable in equation.invars]
            called = _called(equation)
            if called is not None:
                outputs = self._evaluated(*called, inputs, _place(equation) or place)
            else:
                outputs = self._carried_out(jaxpr, equation, inputs, place)
            known.update(zip(equation.outvars, outputs))
        return [read(variable) for variable in jaxpr.outvars]

    def _carried_out(
        self, jaxpr: Any, equation: Any, inputs: Sequence[Any], place: Place | None
    ) -> list[Any]:
        name = equation.primitive.name
        if equation.effects:
            raise NotImplementedError(f"{name} has effects")
        given = [variable for variable in equation.invars if not hasattr(variable, "val")]
        alone = jaxpr.replace(constvars=[], invars=given, outvars=equation.outvars, eqns=[equation])
        values = [value for value, at in zip(inputs, equation.invars) if not hasattr(at, "val")]
        outputs = list(jax.core.eval_jaxpr(alone, (), *values))
        at = _place(equation) or place  # what a library compiled has a line where it is called
        self._operations.tell(name, at, _words(inputs), _words(outputs))
        return outputs


def _called(equation: Any) -> tuple[Any, Any] | None:
    """What an equation calls, with its constants; None where it is no call."""
    if equation.primitive.name not in _CALLS:
        return None
    found = [equation.params[name] for name in _CALLED if name in equation.params]
    jaxpr = found[0]
    return (jaxpr.jaxpr, jaxpr.consts) if hasattr(jaxpr, "jaxpr") else (jaxpr, ())


def _values(arguments: Any, named: Any, closed: Any) -> list[Any]:
    """The leaves that a jaxpr takes: those that are static are no part of it."""
    leaves: list[Any] = jax.tree_util.tree_leaves((arguments, named))
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
