"""What is recorded only now and then: optimizer states, random generators, values of weights.

The points are the updates 0, 1, 2, 4, 8 … of the whole training, and those after the last batch of
an epoch. They depend on nothing else, so that they are the same in every run.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any, Iterator, Sequence

import torch

from seedproof.frameworks.torch.look import look
from seedproof.frameworks.torch.rows import column
from seedproof.inside import leaves
from seedproof.inside.kept_values import BUDGET_BYTES
from seedproof.trace.format import Column

if TYPE_CHECKING:
    from seedproof.frameworks.torch.rows import Rows
    from seedproof.inside.recorder import Recorder

_SCALARS = (bool, int, float, complex, str)


class Points:
    """Records what belongs to a point; `ends_epoch` is set while the update to come may be the
    last of an epoch."""

    def __init__(self, recorder: Recorder, rows: Rows) -> None:
        self._recorder = recorder
        self._rows = rows
        self.ends_epoch = False

    def are_at(self, step: int) -> bool:
        """Whether the update `step` is one."""
        return self.ends_epoch or step & (step - 1) == 0

    def state(self, group: str, state: Any, names: dict[int, str], step: int) -> None:
        """The state of an optimizer, by the `names` of its parameters."""
        named = [leaf for key, value in state.items() for leaf in _leaves(_key(key, names), value)]
        tensors = {name: value for name, value in named if isinstance(value, torch.Tensor)}
        scalars = [leaves.flatten(*leaf)[0] for leaf in named if leaf[0] not in tensors]
        columns = [column("update", name, tensor) for name, tensor in tensors.items()]
        columns += [Column("update", leaf.name, dtype=leaf.dtype) for leaf in scalars]
        if columns:
            words = look(list(tensors.values())), [leaf.digest for leaf in scalars]
            self._rows.write(group, tuple(columns), step, *words)

    def generators(self, step: int) -> None:
        """The states of the random generators that everybody shares."""
        for name, state in _generators():
            self._recorder.hint(name, state, step)

    def values(self, phase: str, named: Sequence[tuple[str, Any]], step: int) -> None:
        """Keeps the values of tensors, if there is room for all of them."""
        if sum(tensor.numel() * tensor.element_size() for _, tensor in named) > BUDGET_BYTES:
            return
        for name, tensor in named:
            if type(tensor) in (torch.Tensor, torch.nn.Parameter) and not tensor.is_sparse:
                (leaf,) = leaves.flatten(name, tensor)
                self._recorder.keep(name, phase, step, leaf.array, leaf.dtype)


def _key(key: Any, names: dict[int, str]) -> str:
    return names.get(id(key), "other") if isinstance(key, torch.Tensor) else str(key)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{name}/{key}", item)
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _leaves(f"{name}/{at}", item)
    elif isinstance(value, (torch.Tensor, *_SCALARS)):
        yield name, value


def _generators() -> Iterator[tuple[str, Any]]:
    yield "random", repr(random.getstate()).encode()
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        kind, numbers, place, *normal = numpy.random.get_state()
        yield "numpy.random", [kind, numbers, place, repr(normal)]
    yield "torch", torch.get_rng_state()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        yield "torch.cuda", torch.cuda.get_rng_state()
