"""What the two extra runs of `--control` show: would a difference have been seen, and has the
recording itself changed nothing."""

from __future__ import annotations

from dataclasses import dataclass

from seedproof.checking.arm_state import ArmState
from seedproof.compare.control import neutral, seen
from seedproof.compare.verdict import Verdict


@dataclass(frozen=True)
class Control:
    """`seen`: a run with one bit flipped was told from run 0. `neutral`: a run recorded only at
    its end came to the same final weights. None where that could not be told."""

    seen: bool | None = None
    neutral: bool | None = None


def control_of(state: ArmState) -> Control | None:
    """What the controls of an arm showed; None where there are none, or they were not run."""
    ended = {run.control: run.index for run in state.arm.controls if run.index in state.exits}
    if not ended:
        return None
    found = Control()
    if "perturbed" in ended:
        perturbed = state.traces[ended["perturbed"]]
        found = Control(seen=seen(state.traces[0], perturbed, state.steps))
    if "end" in ended:
        found = Control(found.seen, neutral(state.traces[ended["end"]], state.traces[0]))
    return found


def with_control(verdict: Verdict, control: Control | None) -> Verdict:
    """Identical runs prove nothing if the recording was blind, or changed what was trained."""
    if control is None or verdict.name != "identical":
        return verdict
    if control.seen is False:
        return Verdict("unknown", "a run with one bit flipped left the same records")
    if control.neutral is False:
        return Verdict("unknown", "a run that was recorded only at its end came to other weights")
    return verdict
