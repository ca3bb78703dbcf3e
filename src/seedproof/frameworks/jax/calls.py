"""The outermost calls of compiled functions, seen from outside: nothing is added to what compiles.

A call is *outermost* if it is made in the main thread of the script itself, from within no other
such call, and with values that are known: what JAX traces passes through.

**Steps.** The calls of every function that takes gradients, which is known once it has been traced,
are the steps of the training, counted over all such functions in the order in which they are made.
So neither the initialization of a model nor an evaluation counts, nor a helper. Where no function
takes gradients, the calls of those count that are handed back floating point numbers which they
have returned: by that they are known from their second call on. A call that is no step belongs to
the last step. All this is told by the script alone, so it is the same in every run.

**Rows.** A call has one row, of its data and of all that it returned. Its state (see `plan`)
has a row of its own at the function's first step, and at any call where it comes from elsewhere
than from an earlier one.
"""

from __future__ import annotations

import _thread
import functools
import threading
from typing import TYPE_CHECKING, Any, Callable

from seedproof.frameworks.jax import perturbation as jax_perturbation
from seedproof.frameworks.jax.closely import Closely
from seedproof.frameworks.jax.functions import Functions, Tracing
from seedproof.frameworks.jax.records import Records
from seedproof.frameworks.jax.training import Training

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function
    from seedproof.frameworks.jax.seen import Taken
    from seedproof.inside.recorder import Recorder

ELSEWHERE = "updates in other threads or processes than the script's own"
LAST_UPDATE = "the weights after the last update, which is not compiled,"
UNCOMPILED = "gradients that are taken outside of functions which jax.jit has compiled"
_ADVICE = (
    "to have that compared, call a step that jax.jit has compiled, in the main thread; or add, "
    'where a step ends: seedproof.record("weights", params, step=step)'
)


class Calls:
    """Makes the calls, and has them recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self.functions = Functions()
        self.training = Training(recorder)
        self._recorder = recorder
        self._left_out: dict[str, int] = {}  # with the script's own records until then
        self._tracing = Tracing()
        self._records = Records(recorder, self.functions, self.training)
        self._closely = None if recorder.close is None else Closely(recorder, recorder.close)
        recorder.at_end(self._end)

    def make(self, function: Function, original: Any, arguments: Any, named: Any) -> Any:
        """Calls `original`, which was made of `function`."""
        if self._tracing.stack:
            return self.within(function, original, arguments, named)
        taken = self._guarded(self._taken, function, original, arguments, named)
        if taken is not None:
            arguments, named = taken.side.whole
        closely = None
        if taken is not None and self._closely is not None:
            is_step = self.training.is_step(function)
            before = self._closely.before
            closely = self._guarded(before, function, is_step, arguments, named)
        result = self.within(function, original, arguments, named)
        if closely is not None:
            self._guarded(self._look_closely, function, original, closely, result)
        if taken is not None:
            self._guarded(self._records.after, function, taken, result)
        elif function.takes_gradients:
            self.leaves_out_gradients()
        return result

    def _is_here(self) -> bool:
        in_main_thread = _thread.get_ident() == threading.main_thread().ident
        return in_main_thread and self._recorder.trains

    def _taken(self, function: Function, original: Any, *whole: Any) -> Taken | None:
        if not self._is_here():
            return None
        if self._recorder.is_to_be_perturbed:
            trains = functools.partial(self._trains, function, original, *whole)
            whole = jax_perturbation.perturbed(self._recorder, whole, trains)
        return self._records.before(function, whole)

    def _trains(self, function: Function, original: Any, arguments: Any, named: Any) -> bool:
        """Whether a call is going to train; a function that was never traced is traced for it."""
        if not function.calls and hasattr(original, "eval_shape"):
            self.within(function, original.eval_shape, arguments, named)
        return function.trains

    def _look_closely(self, function: Function, original: Any, taken: Any, result: Any) -> None:
        if self._closely is not None and hasattr(original, "trace"):
            traced = self.within(function, original.trace, *taken)
            self.within(function, self._closely.evaluate, (traced, taken, result), {})

    def within(self, function: Function, original: Any, arguments: Any, named: Any) -> Any:
        """Calls `original`: what it calls in turn, or traces, belongs to `function`."""
        stack = self._tracing.stack
        stack.append(function)
        try:
            return original(*arguments, **named)
        finally:
            stack.pop()
            if function.takes_gradients:
                self._tracing.notice_gradient()

    def takes_gradient(self) -> bool:
        """A gradient is being taken; whether that is within a function, which then trains."""
        self._tracing.notice_gradient()
        self.training.takes_gradients()
        return bool(self._tracing.stack)

    def leaves_out(self, what: str) -> None:
        """Says what is not looked at, unless it is within something that is, and what helps: where
        the script records something of its own from then on, it is judged by that."""
        if self._tracing.stack:
            return
        if not self._left_out:
            self._recorder.event("note", text=_ADVICE)
        self._left_out.setdefault(what, self._recorder.own_records)
        if not self._recorder.trains:
            self._recorder.unseen(what)  # a worker may be ended before its end

    def leaves_out_gradients(self) -> None:
        """Says that gradients are not looked at."""
        self.leaves_out(UNCOMPILED if self._is_here() else ELSEWHERE)

    def steps_done(self) -> None:
        """Whoever tells of the training says that the steps so far have been made."""
        self._records.steps_done()

    def trouble(self, where: str) -> None:
        """Reports the exception that is being handled."""
        self._recorder.trouble(where)

    def _guarded(self, part: Callable[..., Any], function: Function, *arguments: Any) -> Any:
        try:
            return part(function, *arguments)
        except Exception:
            self._recorder.trouble(f"a call of {function.own_name}")
            return None

    def applied(self, weights: Any) -> None:
        """Optax has applied updates."""
        if self._tracing.stack or not self._is_here():
            return
        try:
            self._records.applied(weights)
        except Exception:
            self.trouble("optax.apply_updates")

    def _end(self) -> None:
        if not self._records.end() and not self._recorder.is_cut_short:
            self.leaves_out(LAST_UPDATE)
        for what, records in self._left_out.items():
            self._recorder.unseen(what, since=records)
        self.training.end()
