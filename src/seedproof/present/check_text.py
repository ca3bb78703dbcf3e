"""A check for the terminal: the verdict, where, what it proves, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from seedproof.checking.outcome import ArmOutcome
from seedproof.present.arm_text import arm_lines, line_to_paste
from seedproof.present.words import shown

_NEXT_POLICY = {"as-is": "seeded", "seeded": "deterministic"}


def check_as_text(
    typed: Sequence[str],
    arms: Sequence[ArmOutcome],
    directory: str,
    to_explain: Sequence[str] | None = None,
    target: Sequence[str] = (),
) -> str:
    """The whole answer; `typed` are the user's options but for the policy, and their `target`,
    `to_explain` the same as far as `explain` takes them. All is kept in `directory`."""
    blocks = ["\n".join(arm_lines(arm)) for arm in arms]
    further = _next(typed, arms, typed if to_explain is None else to_explain)
    if not further:
        further = _elsewhere(typed, arms, target)
    if target and not further:
        further = _where_nothing_is_known(typed, arms, target)
    return "\n\n".join([*blocks, f"kept in {directory}", *further]) + "\n"


def _next(typed: Sequence[str], arms: Sequence[ArmOutcome], to_explain: Sequence[str]) -> list[str]:
    """The one command that brings the user further, where there is one."""
    done = {arm.arm.policy for arm in arms}
    diverged = [arm.arm.policy for arm in arms if arm.verdict.name == "diverged"]
    for policy in diverged:
        stronger = _NEXT_POLICY.get(policy)
        if stronger and stronger not in done:
            return [_command(["seedproof", "check", "--policy", stronger, *typed])]
    for line in filter(None, map(line_to_paste, arms)):
        return [f"next: {line}"]
    if diverged and arms[-1].verdict.name == "diverged":
        return [_command(["seedproof", "explain", "--policy", diverged[-1], *to_explain])]
    return []


def _where_nothing_is_known(
    typed: Sequence[str], arms: Sequence[ArmOutcome], target: Sequence[str]
) -> list[str]:
    """After runs that took too long, fewer steps; where no file was found, all that are written;
    where a script failed, or a recording did not hold, one run to look at."""
    unknown = [arm for arm in arms if arm.verdict.name == "unknown"]
    for arm in unknown:
        policy = ["--policy", arm.arm.policy]
        if any(run.end is not None and run.end.stopped == "timeout" for run in arm.runs):
            return [_command(["seedproof", "check", *policy, "--steps", "20", *typed])]
        if any(one.unmet for one in arm.outputs):
            return [_command(["seedproof", "check", *policy, "--outputs", "**", *target])]
    return [_command(["seedproof", "run", *target])] if unknown else []


def _elsewhere(
    typed: Sequence[str], arms: Sequence[ArmOutcome], target: Sequence[str]
) -> list[str]:
    """What repeats here may not do so on a machine with other cores and another day's hashes: two
    sources first, for they tell most, then all; then whether a difference would have been seen.
    What is left after that is another machine."""
    last = arms[-1] if arms else None
    if last is None or last.verdict.name != "identical":
        return []
    own = typed[: len(typed) - len(target)]
    check = ["seedproof", "check", "--policy", last.arm.policy]
    if "--vary" not in own and not any(run.varied for run in last.runs):
        return [_command([*check, "--vary", "hash_seed", "--vary", "num_threads", *typed])]
    if "all" not in own:
        return [_command([*check, "--vary", "all", *typed])]
    if last.control is None:
        return [_command([*check, "--control", *typed])]
    run = _command(["seedproof", "run", "--policy", last.arm.policy, *target])
    return [f"{run}  # on another machine, then seedproof diff"]


def _command(words: Sequence[str]) -> str:
    return f"next: {shown(shlex.join(words), 1000)}"
