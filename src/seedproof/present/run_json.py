"""A single run as JSON, schema `seedproof.run/1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedproof._version import __version__
from seedproof.checking.outcome import ArmOutcome
from seedproof.present.check_json import arm_as_json, finite

SCHEMA = "seedproof.run/1"


def run_as_json(
    command: Sequence[str], outcome: ArmOutcome, directory: str, status: int
) -> dict[str, Any]:
    """The run as an arm of one, without a verdict."""
    arm = arm_as_json(outcome)
    for key in ("verdict", "reason", "exit", "evidence", "divergence", "neutral", "metrics"):
        arm.pop(key, None)
    (run,) = arm.pop("runs")
    return finite(  # type: ignore[no-any-return]
        {
            "schema": SCHEMA,
            "seedproof": __version__,
            "command": list(command),
            "exit": status,
            "directory": directory,
            **arm,
            "run": run,
        }
    )
