"""Sentences that more than one presenter says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.trace.format import MAIN_STREAM

if TYPE_CHECKING:
    from seedproof.compare.distance import Distance
    from seedproof.compare.divergence import Divergence

_PHASES = {
    "init": "initial weights",
    "data": "batch",
    "forward": "output",
    "loss": "loss",
    "backward": "gradient",
    "update": "weights after the update",
    "metric": "metric",
    "output": "output",
}

RECORD_LINE = 'add to the script: import seedproof; seedproof.record("weights", weights)'
INIT_LINE = "add at the beginning of a Python script: import seedproof; seedproof.init()"

SHARED_DIRECTORY = (
    "runs share the working directory: a script that finds files of another run can differ by that"
)


def where(found: Divergence, other: int) -> str:
    """Where run `other` parts from the one before it in the sentence, in one line."""
    how = _how(found, f"run {other}")
    if not found.table:
        return f"what they wrote, {shown(found.name)}{how}"
    process = "" if found.stream == MAIN_STREAM else f"{shown(found.stream)}, "
    return f"{process}{_moment(found)}, {_PHASES[found.phase]} {shown(found.name)}{how}"


def _moment(found: Divergence) -> str:
    if found.before_training:
        return "before the first step"
    if found.phase == "init":
        return f"after {found.step} step{'' if found.step == 1 else 's'}"
    return f"step {found.step}"


def _how(found: Divergence, run: str) -> str:
    if found.values is not None:
        return f": {found.values[0]!r} against {found.values[1]!r}"
    return {
        "bits": "",
        "shape": ": another dtype or shape",
        "missing": f": {run} lacks it",
        "extra": f": only {run} has it",
        "layout": f": {run} names its records otherwise",
    }[found.kind]


def apart(distance: Distance) -> str:
    """How far apart, in one line."""
    ulp = ""
    if distance.max_ulp is not None:
        ulp = f", {distance.max_ulp} unit{'s' * (distance.max_ulp != 1)} in the last place"
    when = "at first" if distance.step < 0 else f"at step {distance.step}"
    return f"{_PHASES[distance.phase]} {when}: up to {distance.max_abs_diff:.3g} apart{ulp}"


def shown(name: str, longest: int = 120) -> str:
    """A name from a script, safe for one line of a terminal."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
