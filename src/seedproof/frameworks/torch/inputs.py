"""What goes into a training step: batches, what modules are called with, and the loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Iterator, Sequence, Tuple
from weakref import ref

import torch

from seedproof.frameworks.torch.found import Words
from seedproof.frameworks.torch.look import look, look_at_number
from seedproof.frameworks.torch.modules import parameters, unwrapped
from seedproof.frameworks.torch.perturbation import perturb
from seedproof.trace.format import DIGEST, VALUE

if TYPE_CHECKING:
    from seedproof.frameworks.torch.by_hand import ByHand
    from seedproof.frameworks.torch.training import Training

Named = Sequence[Tuple[str, Any]]

_DEEPEST = 8


class Inputs:
    """Records what goes into the step to come.

    `is_looked_at` is true within a call that has been recorded, `computes_gradients` while they
    are: what modules are called with in there is no input, but part of the step.
    """

    def __init__(self, training: Training, by_hand: ByHand) -> None:
        self._training = training
        self._by_hand = by_hand
        self._has_parameters: dict[int, tuple[Any, bool]] = {}
        self._has_perturbed = False
        self._just_yielded: list[Any] = []
        self.is_looked_at = False
        self.computes_gradients = False

    def batch(self, batch: Any) -> None:
        """What a DataLoader has yielded."""
        self._by_hand.before_inputs()
        named = list(_arrays("batch", batch))
        tensors = [one for one in named if isinstance(one[1], torch.Tensor)]
        self._just_yielded = [ref(tensor) for _, tensor in tensors]
        if len(tensors) < len(named):
            self._put_arrays(named)
        self._put("data/batch", "data", tensors, _look(tensors))

    def _put_arrays(self, named: Any) -> None:
        """What lies in NumPy's arrays."""
        arrays = {name: one for name, one in named if not isinstance(one, torch.Tensor)}
        at = self._training.step_to_come()
        self._training.recorder.record_named("batch/arrays", arrays, at, "data")

    def given(self, name: str, value: Any) -> None:
        """What a step is given that knows no modules, without what a DataLoader has told of."""
        named = self._new(list(_arrays(name, value)))
        self._put(f"data/{name}", "data", named, _look(named))

    def call(self, module: Any, arguments: Any, named: Any) -> bool:
        """A module is called while gradients are recorded; whether it is one to look at.

        One with no parameters is, too, where gradients flow through it: a loss. Others prepare
        data. What a DataLoader has just yielded is not recorded again.
        """
        if not self._training.thread.is_here():
            return False
        module = unwrapped(module)
        name = type(module).__name__
        tensors = self._new_tensors(name, arguments, named)
        trains = self._trains(module)
        given = [one for one in tensors if not one[1].requires_grad]
        computed = [one for one in tensors if one[1].requires_grad]
        if not computed and not trains:
            return False
        words = _look(given), _look(computed)
        if trains:
            self._meet(module)
        self._put(f"data/{name}", "data", given, words[0])
        self._put(f"forward/{name}", "forward", computed, words[1])
        self.is_looked_at = True
        return True

    def _new_tensors(self, name: str, arguments: Any, named: Any) -> list[tuple[str, Any]]:
        given = [*enumerate(arguments), *named.items()] if named else enumerate(arguments)
        return self._new([one for key, value in given for one in _arrays(f"{name}/{key}", value)])

    def _new(self, named: Named) -> list[tuple[str, Any]]:
        yielded = [reference() for reference in self._just_yielded]
        return [
            (name, one)
            for name, one in named
            if isinstance(one, torch.Tensor) and not any(one is other for other in yielded)
        ]

    def _trains(self, module: Any) -> bool:
        key = id(module)
        if key not in self._has_parameters:
            watch = ref(module, lambda _: self._has_parameters.pop(key, None))
            self._has_parameters[key] = watch, any(True for _ in parameters(module))
        return self._has_parameters[key][1]

    def _meet(self, module: Any) -> None:
        self._training.begins()
        self._by_hand.before_inputs()
        if self._training.modules.called(module) and self._training.records_steps:
            self._training.initial.meet(module)
        if not self._has_perturbed:
            self._has_perturbed = True
            perturb(self._training.recorder, (param for _, param in parameters(module)))

    def loss(self, arguments: Any, named: Any) -> bool:
        """Gradients are to be computed by `backward`, called in this way; whether to look."""
        if not self._training.thread.is_here():
            return False
        self._training.begins()
        self._by_hand.before_gradients()
        roots = arguments[0] if arguments else named["tensors"]
        for at, root in enumerate((roots,) if isinstance(roots, torch.Tensor) else roots):
            self._loss(f"loss/{at}" if at else "loss", root)
        self.computes_gradients = True
        return True

    def _loss(self, name: str, root: Any) -> None:
        """A number stands as such in the trace, so that it can be shown."""
        named = [(name, root)]
        if root.numel() == 1 and root.is_floating_point():
            self._put("loss/backward", "loss", named, look_at_number(root), VALUE)
        else:
            self._put("loss/backward", "loss", named, _look(named))

    def _put(self, group: str, phase: str, named: Named, words: Words, kind: str = DIGEST) -> None:
        """One row, under the columns of the first that had the same names."""
        if named:
            columns = self._training.rows.columns(group, phase, named, kind)
            self._training.rows.put(group, columns, words)


def _look(named: Named) -> Words:
    return look([tensor for _, tensor in named]) if named else []


def _arrays(name: str, value: Any, deepest: int = _DEEPEST) -> Iterator[tuple[str, Any]]:
    """The tensors and NumPy arrays in a nested structure, by name; nothing else has bits here."""
    if isinstance(value, torch.Tensor) or _is_array(value):
        yield name, value
    elif deepest:
        for key, item in _items(value):
            yield from _arrays(f"{name}/{key}", item, deepest - 1)


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and _has_bits(getattr(value, "dtype", None))


def _has_bits(dtype: Any) -> bool:
    return dtype is not None and not dtype.hasobject


def _items(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return enumerate(value)
    if isinstance(value, Mapping):
        return sorted(value.items(), key=lambda item: str(item[0]))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return ()
