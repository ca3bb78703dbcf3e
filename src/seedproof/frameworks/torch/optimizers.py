"""The optimizers that have been seen: their numbers, their parameters and what they leave."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any, Sequence
from weakref import finalize

from seedproof.frameworks.torch.final import FinalWeights
from seedproof.frameworks.torch.gradients import GradientsLeft
from seedproof.frameworks.torch.rows import column

if TYPE_CHECKING:
    from seedproof.frameworks.torch.modules import Modules, Slot

MOST_OPTIMIZERS = 1000  # what is beyond shares the last number: some scripts make one per step


class Layout:
    """What is recorded of an optimizer's updates, as long as its parameters are these."""

    def __init__(
        self,
        key: Any,
        params: Sequence[Any],
        names: Sequence[str],
        final_names: Sequence[str],
        slots: Sequence[Slot],
    ) -> None:
        self.key = key
        self.params = params
        self.names = names
        self.final_names = final_names
        self.slots = slots
        self.columns = (
            *[column("backward", *named) for named in self.named_params()],
            *[column("update", *named) for named in self.named_state()],
        )

    def gradients(self) -> list[Any]:
        """What the optimizer is about to receive; None for a parameter without."""
        return [param.grad if param.is_leaf else None for param in self.params]

    def state(self) -> list[Any]:
        """The parameters, then the buffers."""
        return [*self.params, *[slot.tensor() for slot in self.slots]]

    def named_params(self) -> list[tuple[str, Any]]:
        """The parameters by name."""
        return list(zip(self.names, self.params))

    def named_state(self) -> list[tuple[str, Any]]:
        """The parameters, then the buffers, by name."""
        return [*self.named_params(), *[(slot.name, slot.tensor()) for slot in self.slots]]


class Known:
    """An optimizer that has begun an update."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.owner = f"optimizer{min(number, MOST_OPTIMIZERS)}"
        self.final = FinalWeights(self.owner)
        self.gradients_left = GradientsLeft()
        self.layout: Layout | None = None


class Optimizers:
    """Numbers optimizers by their first update; keeps none alive."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._count = 0
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """In a forked child: what the parent's optimizers leave is recorded by the parent."""
        self._known: dict[int, Known] = {}
        self._gone: deque[Known] = deque()

    def known(self, optimizer: Any) -> Known:
        """The optimizer under its number, the next free one at its first update."""
        key = id(optimizer)
        if key not in self._known:
            known = self._known[key] = Known(self._count)
            self._count += 1
            finalize(optimizer, self._goes, key, known).atexit = False
        return self._known[key]

    def _goes(self, key: int, known: Known) -> None:
        """Called by the garbage collector, in the midst of anything: it only takes note."""
        if self._known.get(key) is known:
            del self._known[key]
            self._gone.append(known)

    def any_gone(self) -> bool:
        """Whether `gone` has any to tell of."""
        return bool(self._gone)

    def gone(self) -> list[Known]:
        """Those that are no more since this was asked last."""
        return [self._gone.popleft() for _ in range(len(self._gone))]

    def all(self) -> list[Known]:
        """Those that are still there, and those that are gone, by number."""
        return sorted([*self._known.values(), *self.gone()], key=lambda known: known.number)

    def layout(self, optimizer: Any, known: Known) -> Layout:
        """What is recorded of an update that comes now."""
        groups = optimizer.param_groups
        params = [param for group in groups for param in group["params"]]
        key = ([id(param) for param in params], self._modules.changes)
        if known.layout is not None and known.layout.key == key:
            return known.layout
        return self._laid_out(key, params, groups, first=known.number == 0)

    def _laid_out(self, key: Any, params: Sequence[Any], groups: Any, first: bool) -> Layout:
        names = _own_names(groups) or self._modules.names(params)
        final_names = _own_names(groups) or self._modules.names(params, called=False)
        slots = self._modules.buffers(params, first)
        return Layout(key, params, names, final_names, slots)


def _own_names(groups: Any) -> list[str]:
    """The names that the optimizer was given, empty where it was not."""
    if not all("param_names" in group for group in groups):
        return []
    return [name for group in groups for name in group["param_names"]]
