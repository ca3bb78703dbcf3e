"""What an outermost call takes and returns, as rows of the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import jax

from seedproof.frameworks.jax import values as jax_values
from seedproof.frameworks.jax.last_updates import LastUpdates
from seedproof.frameworks.jax.look import look
from seedproof.frameworks.jax.plan import Part, Side, plan_of
from seedproof.frameworks.jax.points import Points
from seedproof.frameworks.jax.rows import Rows
from seedproof.frameworks.jax.seen import Seen
from seedproof.frameworks.jax.values import ON_DEVICE, TRACER, VALUES, kinds_of
from seedproof.inside.scope import END
from seedproof.trace.format import BEFORE_TRAINING

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function, Functions
    from seedproof.frameworks.jax.plan import Plan
    from seedproof.frameworks.jax.seen import Taken
    from seedproof.frameworks.jax.training import Training
    from seedproof.inside.recorder import Recorder


class Call(NamedTuple):
    """A call that was made: what it took, and what it returned, with the digests."""

    taken: Taken
    given: Side
    words: Sequence[Any]


class Records:
    """Looks at calls before and after they are made."""

    def __init__(self, recorder: Recorder, functions: Functions, training: Training) -> None:
        self._recorder = recorder
        self._functions = functions
        self._training = training
        self._looks = recorder.mode != END
        self._rows = Rows(recorder)
        self._points = Points(recorder, self._rows)
        self._seen = Seen()
        self._last_updates = LastUpdates(self._seen)
        self._has_noted_parts = False

    def before(self, function: Function, whole: Any) -> Taken | None:
        """A call is going to take `whole`, its positional and its named arguments; None where
        there is nothing to look at."""
        taken = self._seen.take(function, whole)
        if taken is None or not self._looks or not function.donates:
            return taken
        self._seen.look_at(taken, ON_DEVICE)
        if function.calls:
            return taken
        return taken._replace(copies=self._points.copies(taken.copies))

    def after(self, function: Function, taken: Taken, result: Any) -> None:
        """The call has returned `result`."""
        leaves, treedef = jax.tree_util.tree_flatten(result)
        if TRACER in kinds_of(leaves):
            return
        self._functions.name(function)
        function.calls += 1
        if any(jax_values.is_floating(taken.side.leaves[at]) for at, _ in taken.back.fed):
            function.is_fed()
        given = Side(result, treedef, leaves)
        self._last_updates.returned(function, taken, given)
        if function.trains or not function.is_helper:
            self._record(function, taken, given)
        else:  # what a library's helper does shows in what is made of it
            self._seen.give(function, leaves, [None] * len(leaves))

    def _record(self, function: Function, taken: Taken, given: Side) -> None:
        is_step = self._training.is_step(function)
        step = self._recorder.step() + is_step
        plan = plan_of(function, taken.side, given, taken.back)
        if plan.is_partial:
            self._note_parts()
        words = self._words(taken, given)
        self._seen.give(function, given.leaves, words)
        if self._looks:
            self._put_state(function, plan, taken, step, is_step and not function.steps)
            self._put_call(function, plan, Call(taken, given, words), step)
        weights = (taken.side if plan.takes_weights else given).leaves
        if function.trains and function.known is None:
            self._keep_last(function, plan, weights, step)
        if is_step:
            self._step_made(function, plan, weights, step)

    def _keep_last(self, function: Function, plan: Plan, weights: Sequence[Any], step: int) -> None:
        if plan.takes_weights:
            self._points.forget(function)
            made = self._recorder.own_records
            self._last_updates.stepped(function, plan.final, weights, step, made)
        else:
            self._points.remember(function, plan.final, weights, step)

    def applied(self, weights: Any) -> None:
        """Optax has made weights of gradients, outside of compiled functions."""
        leaves = jax.tree_util.tree_leaves(weights)
        if TRACER not in kinds_of(leaves):
            self._last_updates.applied(leaves)

    def _words(self, taken: Taken, given: Side) -> Sequence[Any]:
        """The digests of what is returned. What was taken is looked at first, while the call may
        still be at work."""
        if not self._looks:
            return [None] * len(given.leaves)
        self._seen.look_at(taken, VALUES)
        return look(given.leaves)

    def _note_parts(self) -> None:
        if not self._has_noted_parts:
            self._has_noted_parts = True
            self._recorder.event("note", text=_ONLY_PARTS)

    def _put_state(
        self, function: Function, plan: Plan, taken: Taken, step: int, is_first: bool
    ) -> None:
        part, group, at = plan.state_from_elsewhere, "data", step
        if is_first:
            part, group = plan.state_at_first, "init"
            at = BEFORE_TRAINING if self._recorder.step() < 0 else step
            if function.known is None or not self._training.is_told:
                self._points.values(part, taken.copies, at)
        elif plan.state_places.isdisjoint(taken.new):
            return
        self._rows.put(f"{group}/{function.name}", part.columns, at, part.of(taken.words))

    def _put_call(self, function: Function, plan: Plan, call: Call, step: int) -> None:
        written_to = look(plan.written_to.of(call.taken.side.leaves))
        words = [*plan.data.of(call.taken.words), *plan.results.of(call.words), *written_to]
        self._rows.put(f"call/{function.name}", plan.columns, step, words)

    def _step_made(self, function: Function, plan: Plan, weights: Sequence[Any], step: int) -> None:
        function.steps += 1
        self._training.count()
        if self._recorder.keeps_values(step):
            self._points.values(plan.kept, weights, step)
            self._points.generators(step)
        if function.known is not None:
            function.known.stepped()
        if function.known is None or not self._training.is_told:
            self.steps_done()

    def steps_done(self) -> None:
        """All that belongs to the steps so far has been put. The run may end here, so that this is
        no time at which a library has its weights in pieces."""
        self._rows.update_done(self._recorder.step())

    def end(self) -> bool:
        """The recording ends; whether the weights after the last update are known."""
        are_known = True
        for function, last, weights in self._last_updates.unfinished():
            if weights:
                part = Part(range(len(weights)), last.part.columns)
                self._points.remember(function, part, weights, last.step)
            elif weights is None:
                are_known &= self._recorder.own_records > last.records
        self._points.write_last()
        self._rows.flush()
        return are_known


_ONLY_PARTS = "of arrays that are spread over processes, each process compares the part that it has"
