"""A check for the terminal: the verdict, where, what it proves, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from seedproof.checking.outcome import ArmOutcome, RunOutcome
from seedproof.compare.evidence import evidence_sentence
from seedproof.present.words import apart, shown, where

_NEXT_POLICY = {"as-is": "seeded", "seeded": "deterministic"}


def check_as_text(typed: Sequence[str], arms: Sequence[ArmOutcome], directory: str) -> str:
    """The whole answer; `typed` are the user's options but for the policy, and their target,
    `directory` is where all is kept."""
    blocks = ["\n".join(_arm_lines(arm)) for arm in arms]
    return "\n\n".join([*blocks, f"kept in {directory}", *_next(typed, arms)]) + "\n"


def _arm_lines(arm: ArmOutcome) -> list[str]:
    lines = [f"{arm.arm.name}: {arm.verdict.name.upper()}{_because(arm)}"]
    if arm.verdict.divergence is not None and arm.verdict.runs is not None:
        a, b = arm.verdict.runs
        lines.append(f"  runs {a} and {b} part: {where(arm.verdict.divergence)}")
        if arm.distance is not None:
            lines.append(f"  {apart(arm.distance)}")
    if arm.verdict.name == "identical":
        lines.append("  " + evidence_sentence(len(arm.runs)))
        lines += [f"  {name} was varied in vain: nothing is shown about it" for name in arm.unmet]
    lines.append("  " + _scope(arm))
    lines += [f"  {line}" for run in arm.runs for line in _varied(run)]
    missed = [line for event in arm.pinned for line in event["missed"]]
    lines += [f"  not pinned: {shown(line, 300)}" for line in missed]
    return lines


def _because(arm: ArmOutcome) -> str:
    return f" ({shown(arm.verdict.reason, 300)})" if arm.verdict.reason else ""


def _scope(arm: ArmOutcome) -> str:
    steps = min((run.steps for run in arm.runs), default=0)
    records = max((run.records for run in arm.runs), default=0)
    if not records:
        return "compared nothing: there are no records"
    seen = ", ".join(arm.phases)
    to_the_end = "to the end" if all(run.completed for run in arm.runs) else "not to the end"
    return f"compared {to_the_end}: {steps} steps, {records} records a run ({seen})"


def _varied(run: RunOutcome) -> list[str]:
    if not run.steps and not run.records:
        return []
    lines = []
    for name, varied in run.varied.items():
        effect = "not told" if varied.effective is None else shown(str(varied.effective))
        unmet = "" if varied.reached else "; it did not reach the process: no evidence"
        lines.append(
            f"run {run.planned.index}: {name} varied to {varied.requested}, "
            f"effective {effect}{unmet}"
        )
    return lines


def _next(typed: Sequence[str], arms: Sequence[ArmOutcome]) -> list[str]:
    """The one command that brings the user further, where there is one."""
    done = {arm.arm.policy for arm in arms}
    for arm in arms:
        policy = _NEXT_POLICY.get(arm.arm.policy)
        if arm.verdict.name == "diverged" and policy and policy not in done:
            words = ["seedproof", "check", "--policy", policy, *typed]
            return [f"next: {shown(shlex.join(words), 1000)}"]
        if arm.verdict.reason.startswith("nothing was recorded"):
            return ['next: add a line to the script: seedproof.record("weights", weights)']
    return []
