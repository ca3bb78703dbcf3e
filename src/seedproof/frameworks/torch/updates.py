"""What is recorded of an update, whoever makes it: what goes into it, and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Optional, Sequence

from seedproof.frameworks.torch.found import Words
from seedproof.frameworks.torch.gradients import Gradients
from seedproof.frameworks.torch.look import look
from seedproof.frameworks.torch.perturbation import perturb
from seedproof.trace.format import BEFORE_TRAINING

if TYPE_CHECKING:
    from seedproof.frameworks.torch.optimizers import Known, Layout
    from seedproof.frameworks.torch.training import Training

LayOut = Callable[[Any, Any], Any]  # an optimizer, as known, to its Layout
GetGradients = Callable[[Any], Sequence[Any]]  # a Layout to the gradients of its parameters


class Begun(NamedTuple):
    """An update that has been begun; `gradients` where they are there before it."""

    known: Known
    layout: Layout
    step: int
    gradients: Optional[Gradients]  # noqa: UP045 - evaluated by Python 3.8


class Updates:
    """Makes one row per update, in the table of its optimizer."""

    def __init__(self, training: Training) -> None:
        self._training = training

    def begin(
        self,
        optimizer: Any,
        lay_out: LayOut,
        gradients: GetGradients | None,
        may_wait: bool = False,
    ) -> Begun:
        """An update is about to be made; `gradients` is None where they are there only after it.
        They `may_wait` to be looked at until then if they are those of the parameters.
        """
        training = self._training
        training.thread.steps_here()
        training.begins()
        training.write_gone()
        known = training.optimizers.known(optimizer)
        is_first = known.layout is None
        layout = known.layout = lay_out(optimizer, known)
        step, found = training.step_to_come(), None
        if training.records_steps:
            if is_first:
                self._record_initial(known, layout, step)
            if gradients is not None:
                found = Gradients(gradients(layout), known.gradients_left if may_wait else None)
        return Begun(known, layout, step, found)

    def _record_initial(self, known: Known, layout: Layout, step: int) -> None:
        perturb(self._training.recorder, layout.params)
        rows, group = self._training.rows, f"init/{known.owner}"
        at = BEFORE_TRAINING if step == 0 else step
        columns = rows.columns(group, "init", layout.named_state())
        buffers = map(self._training.initial.words, layout.slots)
        rows.write(group, columns, at, look(layout.params), *buffers)
        self._training.points.values("init", layout.named_params(), at)

    def end(self, begun: Begun, state: Callable[[], Mapping[Any, Any]]) -> None:
        """The update has been made; `state` gives what the optimizer keeps to itself."""
        training, known, layout, step = self._training, *begun[:3]
        training.rows.write_pending(step)
        found = self._record(begun) if training.records_steps else None
        training.count_update()
        known.final.updated(layout.params, layout.final_names, step, found)
        if training.records_steps and training.points.are_at(step):
            self._record_points(begun, state)
        training.rows.update_done(step)

    def _record(self, begun: Begun) -> Sequence[Words]:
        """The row of an update: the words of its gradients, then those of what it leaves."""
        known, layout, step, gradients = begun
        now = layout.gradients()
        before = None if gradients is None else gradients.after_update(now)
        if before is None:
            words: Sequence[Words] = (look([*now, *layout.state()]),)
        else:
            words = before, look(layout.state())
        self._training.rows.write(known.owner, layout.columns, step, *words)
        if gradients is not None and gradients.are_lost:
            text = f"gradients of {known.owner} in step {step}: overwritten before they were seen"
            self._training.recorder.event("note", text=text)
        return words

    def _record_points(self, begun: Begun, state: Callable[[], Mapping[Any, Any]]) -> None:
        points, known, layout, step = self._training.points, *begun[:3]
        if self._training.recorder.keeps_values(step):
            points.values("update", layout.named_params(), step)
        names = dict(zip(map(id, layout.params), layout.names))
        points.state(f"update/{known.owner}/state", state(), names, step)
        points.generators(step)
