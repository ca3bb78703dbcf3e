"""What a check will take, once a run's first steps have shown how long a step lasts."""

from __future__ import annotations

import math

_STEPS = 20
_WORTH_SAYING_SECONDS = 120.0
_WITHOUT_END_SECONDS = 20.0
_A_SHORT_RUN_SECONDS = 60.0


class Forecast:
    """Watches the progress of one run of a check of `runs`."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._first: tuple[int, float] | None = None
        self._said = False

    def look(self, steps: int, planned: int | None, side_by_side: int, now: float) -> str:
        """The line to say, once; empty before it can be told, and where it is not worth it.

        `steps` have been made at the time `now` (in seconds), `planned` are meant to be made by
        each run, and `side_by_side` runs go on.
        """
        if self._first is None:
            self._first = (steps, now) if steps else None
            return ""
        first_steps, began = self._first
        if self._said or steps < max(_STEPS, first_steps + 1):
            return ""
        step_seconds = (now - began) / (steps - first_steps)
        if planned is None:
            self._said = now - began > _WITHOUT_END_SECONDS
            return self._without_end(step_seconds) if self._said else ""
        self._said = True
        return self._with_end(step_seconds, planned, math.ceil(self._runs / side_by_side))

    def _with_end(self, step_seconds: float, planned: int, rounds: int) -> str:
        whole = planned * step_seconds
        if whole * rounds < _WORTH_SAYING_SECONDS:
            return ""
        return (
            f"about {planned:,} steps a run will take about {lasting(whole)}, "
            f"{self._runs} runs about {lasting(whole * rounds)}; {_shorter(step_seconds)}"
        )

    def _without_end(self, step_seconds: float) -> str:
        return (
            f"a step takes about {lasting(step_seconds)}, and how many there will be is not "
            f"known; {_shorter(step_seconds)}"
        )


def _shorter(step_seconds: float) -> str:
    steps = _round_down(max(_STEPS, _A_SHORT_RUN_SECONDS / max(step_seconds, 1e-6)))
    return f"--steps {steps} would end each run after about {lasting(steps * step_seconds)}"


def _round_down(number: float) -> int:
    """To one digit, as a person would choose."""
    unit = 10 ** math.floor(math.log10(number))
    return int(number // unit * unit)


def lasting(seconds: float) -> str:
    """A duration in the unit that suits it."""
    for unit, name in ((3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1000:.2g} ms"
