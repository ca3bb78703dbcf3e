"""The optimizers of a process, numbered as they first update, and what each of them trains."""

from __future__ import annotations

from typing import Any, Iterable, Sequence
from weakref import WeakKeyDictionary, ref

import tensorflow as tf


def alive(references: Iterable[Any]) -> list[Any]:
    """What weak references still lead to."""
    found = [reference() for reference in references]
    return [one for one in found if one is not None]


class Iterations:
    """How often an optimizer updates, as it counts that itself."""

    def __init__(self, variable: Any) -> None:
        self._variable = variable
        with tf.init_scope():
            self._before = self.now()

    def now(self) -> Any:
        """What it says now, as an int64 tensor; it may have begun above zero."""
        return tf.cast(tf.convert_to_tensor(self._variable), tf.int64)

    def made(self) -> int:
        """The updates since it was met."""
        with tf.init_scope():
            return int(self.now() - self._before)


class Trained:
    """What one optimizer trains: its variables, and the models that they belong to; `has_begun`
    tells that their initial values were recorded."""

    def __init__(self, number: int, optimizer: Any) -> None:
        self.number = number
        self.name = f"optimizer{number}"
        self.iterations = Iterations(optimizer.iterations)
        self.variables: list[Any] = []
        self.has_begun = False
        self._optimizer = ref(optimizer)
        self._models: dict[int, Any] = {}

    @property
    def optimizer(self) -> Any:
        """The optimizer, or None once the script has dropped it."""
        return self._optimizer()

    def trains(self, variables: Sequence[Any], models: Sequence[Any]) -> None:
        """It updates these variables; these models have been called for it."""
        known = set(map(id, self.variables))
        self.variables += [variable for variable in variables if id(variable) not in known]
        self._models.update((id(model), ref(model)) for model in models)

    def models(self) -> list[Any]:
        """Its models that are still there."""
        return [
            found for found in (model() for model in self._models.values()) if found is not None
        ]

    def state(self) -> list[Any]:
        """What changes in its models beside the variables that it updates."""
        return [variable for model in self.models() for variable in model.non_trainable_variables]

    def whole(self) -> list[Any]:
        """Its variables and that state."""
        return [*self.variables, *self.state()]


class Optimizers:
    """Numbers optimizers as they come; one that the script drops is let go, and stays counted."""

    def __init__(self) -> None:
        self._counts: list[Iterations] = []
        self._trained: Any = WeakKeyDictionary()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def meet(self, optimizer: Any) -> Trained:
        """What `optimizer` trains."""
        if optimizer not in self._trained:
            trained = Trained(len(self._counts), optimizer)
            self._trained[optimizer] = trained
            self._counts.append(trained.iterations)
        found: Trained = self._trained[optimizer]
        return found

    def updates(self) -> int:
        """How often all of them have updated in this process."""
        return sum(count.made() for count in self._counts)
