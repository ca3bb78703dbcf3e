"""A check for the terminal: the verdict, where, what it proves, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from seedproof.checking.outcome import ArmOutcome, RunOutcome
from seedproof.compare.evidence import evidence_sentence
from seedproof.present.words import SHARED_DIRECTORY, apart, shown, where

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
        lines.append(f"  {SHARED_DIRECTORY}")
    if arm.verdict.name == "identical":
        lines.append("  " + _evidence(arm.starts))
        lines += [f"  {name} was varied in vain: nothing is shown about it" for name in arm.unmet]
    lines.append("  " + _scope(arm))
    lines += [f"  note: {shown(note, 300)}" for note in arm.notes]
    lines += [f"  {line}" for run in arm.runs for line in _varied(run)]
    missed = [line for event in arm.pinned for line in event["missed"]]
    lines += [f"  not pinned: {shown(line, 300)}" for line in missed]
    return lines


def _evidence(starts: Sequence[int]) -> str:
    if len(starts) == 1:
        return evidence_sentence(starts[0])
    if max(starts) == 1:
        return f"Each of the {len(starts)} starts was met once: this says nothing about chance."
    least, most = min(starts), max(starts)
    times = f"{most} times" if least == most else f"{least} to {most} times"
    return f"Each of the {len(starts)} starts was met {times}: this says little about chance."


def _because(arm: ArmOutcome) -> str:
    return f" ({shown(arm.verdict.reason, 300)})" if arm.verdict.reason else ""


def _scope(arm: ArmOutcome) -> str:
    records = max((run.records for run in arm.runs), default=0)
    if not records:
        return "compared nothing: there are no records"
    seen = ", ".join(arm.phases)
    to_the_end = "to the end" if arm.complete else "not to the end"
    compared = f"compared {to_the_end}: {arm.steps} steps, {records} records a run ({seen})"
    not_seen = ", ".join(arm.phases_not_seen)
    return f"{compared}; not looked at: {not_seen}" if not_seen else compared


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
