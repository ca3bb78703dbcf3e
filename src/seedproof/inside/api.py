"""`seedproof.record` and `seedproof.log_metric`: what a script may call by itself."""

from __future__ import annotations

import operator
from typing import Any

from seedproof.inside import recorder
from seedproof.trace.format import PHASES


def record(name: str, value: Any, step: int | None = None, phase: str = "output") -> None:
    """Records any array, tensor, number, text, or nested lists and dictionaries of them.

    Outside a recorded run this does nothing. Every leaf is compared bit for bit under
    `name/key/…`. `step` is the 0-based number of the update that it belongs to; without it, the
    last one (where no optimizer is seen, a step begins whenever a name comes again). `phase` is
    one of `init`, `data`, `forward`, `loss`, `backward`, `update`, `metric`, `output`. Raises
    ValueError for another phase or a negative step, TypeError for a value that has no bits to
    compare.
    """
    active = recorder.current()
    if active is None:
        return
    if phase not in PHASES:
        raise ValueError("phase {!r} is none of {}".format(phase, ", ".join(PHASES)))
    active.record(name, value, _number("step", step), phase, keep=phase in ("init", "output"))


def log_metric(name: str, value: Any, step: int | None = None, fold: int | None = None) -> None:
    """Records a number at full precision; `fold` numbers the repetitions of a cross-validation.

    Outside a recorded run this does nothing. Raises TypeError or ValueError for what is no number.
    """
    active = recorder.current()
    if active is not None:
        at, repetition = _number("step", step), _number("fold", fold)
        active.metrics(f"log/{name}", {name: float(value)}, at, repetition)


def _number(what: str, given: Any) -> int | None:
    """A step or a fold: any whole number from 0 on, NumPy's and the frameworks' own too."""
    if given is None:
        return None
    number = operator.index(given)
    if not 0 <= number < 1 << 63:
        raise ValueError(f"{what} is {number}; steps and folds are counted from 0")
    return number
