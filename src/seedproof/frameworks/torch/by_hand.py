"""Updates that no optimizer is seen to make: written out by hand, or compiled with their step.

They are told by what they leave. Where weights are others than when gradients were computed last,
an update has been made. Once an optimizer is seen, it tells of the updates, and this is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from seedproof.frameworks.torch.found import known
from seedproof.frameworks.torch.look import look
from seedproof.frameworks.torch.steps import hooks_are_taken_off
from seedproof.trace.format import BEFORE_TRAINING, FINAL

if TYPE_CHECKING:
    from seedproof.frameworks.torch.training import Training

MOST_KEPT_BACK = 64  # gradients, before it is known whether an optimizer will take them


class _Seen(NamedTuple):
    """The parameters, and after them the buffers, at one moment."""

    named: Sequence[tuple[str, Any]]
    params: int
    words: Sequence[int]

    def is_updated_since(self, before: _Seen) -> bool:
        """Whether any parameter is another than before; buffers change by themselves."""
        words = {id(tensor): word for (_, tensor), word in zip(before.named, before.words)}
        now = zip(self.named[: self.params], self.words)
        return any(words.get(id(tensor), word) != word for (_, tensor), word in now)


_NOTHING = _Seen((), 0, ())


class ByHand:
    """Looks at the weights before gradients are computed, and at the gradients afterwards.

    The parameters that were seen last are held until others are, so that their last update is seen
    too.

    `is_over` is true once an optimizer, of PyTorch or another framework, tells of the updates.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._updates = 0
        self._seen = _NOTHING
        self._looks_again = False
        self._kept_back: list[Any] = []
        self.is_over = False
        training.before_end(self._end)

    def _goes_on(self) -> bool:
        training = self._training
        if training.has_optimizer or training.step_to_come() != self._updates:
            self.is_over = True
            self._seen, self._kept_back = _NOTHING, []
        return not self.is_over

    def before_inputs(self) -> None:
        """Something goes into a step: the update before it may have been made by now."""
        if self._looks_again and not self.is_over and self._goes_on():
            self._see_again()

    def before_gradients(self) -> None:
        """Gradients are about to be computed: whatever was to be updated before has been."""
        if self.is_over or not self._goes_on():
            return
        named, slots = self._training.modules.in_use()
        there = [slot for slot in slots if slot.tensor() is not None]
        self._see([*named, *[(slot.name, slot.tensor()) for slot in there]], len(named))

    def _see(self, named: Sequence[tuple[str, Any]], params: int) -> None:
        seen = _Seen(named, params, known(look([tensor for _, tensor in named])))
        if seen.is_updated_since(self._seen):
            self._updated(seen)
        self._seen = seen
        self._looks_again = False

    def _see_again(self) -> None:
        self._see(self._seen.named, self._seen.params)

    def after_gradients(self) -> None:
        """Gradients have been computed."""
        if self.is_over:
            return
        self._looks_again = True
        params = self._seen.named[: self._seen.params]
        gradients = look([param.grad for _, param in params])
        self._kept_back.append((params, self._training.step_to_come(), gradients))
        if self._updates:
            self._put_gradients()
        del self._kept_back[:-MOST_KEPT_BACK]

    def _put_gradients(self) -> None:
        for params, step, gradients in self._kept_back:
            self._put("backward/by hand", "backward", params, step, gradients)
        self._kept_back = []

    def _updated(self, seen: _Seen) -> None:
        training, step = self._training, self._updates
        training.rows.write_pending(step)
        if step == 0:
            before = self._seen
            self._put("init/by hand", "init", before.named, BEFORE_TRAINING, before.words)
            self._put_gradients()
        self._put("update/by hand", "update", seen.named, step, seen.words)
        self._updates += 1
        training.count_update()
        if training.points.are_at(step):
            training.points.generators(step)
            if training.recorder.keeps_values(step):
                training.points.values("update", seen.named, step)
        training.rows.update_done(step)

    def _put(self, group: str, phase: str, named: Any, step: int, words: Any) -> None:
        rows = self._training.rows
        rows.write(group, rows.columns(group, phase, named), step, words)

    def _end(self) -> None:
        """The last update may not have been followed by gradients; then its weights are final."""
        training = self._training
        if not self.is_over and self._goes_on():
            self._see_again()
        if self._updates and self._seen.named:
            seen, step = self._seen, self._updates - 1
            self._put(FINAL + "by hand", "output", seen.named, step, seen.words)
        elif training.has_hidden_updates or hooks_are_taken_off():
            hidden = "updates that torch.compile or a CUDA graph carries out"
            training.recorder.unseen(hidden, since=0)
