"""How far a verdict goes: what was compared, and what was not reached."""

from __future__ import annotations

from seedproof.checking.outcome import ArmOutcome


def extent(arm: ArmOutcome) -> str:
    """What follows the verdict where it is not about the whole training; empty where it is."""
    if arm.stopped_after is None:
        return ""
    planned = "" if arm.planned is None else f" of about {arm.planned:,}"
    return f" for the first {arm.steps:,}{planned} steps"


def not_reached(arm: ArmOutcome) -> list[str]:
    """What of the training a verdict says nothing about."""
    if arm.stopped_after is not None:
        rest = [f"the training after step {arm.steps - 1:,}"]
        rest += ["metrics and evaluations"] if "metric" not in arm.phases else []
        return [*rest, *(["what it leaves at its end"] if "output" not in arm.phases else [])]
    return [] if arm.complete else ["the rest of the training: a run did not come to its end"]


def compared(arm: ArmOutcome, verb: str = "compared") -> str:
    """What was looked at, in one line."""
    records = max((run.records for run in arm.runs), default=0)
    if not records:
        return f"{verb} nothing: there are no records"
    seen = ", ".join(arm.phases)
    to_the_end = "to the end" if arm.complete and arm.stopped_after is None else "not to the end"
    said = f"{verb} {to_the_end}: {arm.steps:,} steps, {records:,} records a run ({seen})"
    unseen = ", ".join(arm.phases_not_seen)
    return f"{said}; not looked at: {unseen}" if unseen else said


def observed(arm: ArmOutcome) -> str:
    """Through which frameworks, in one line; empty where none was met but Python."""
    named = [f"{name} {version}" for name, version in arm.frameworks.items() if name != "python"]
    return f"observed: {', '.join(named)}" if named else ""
