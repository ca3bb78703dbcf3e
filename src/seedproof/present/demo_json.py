"""What the demo adds to a check's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedproof.experiments.demo import DemoArm, DemoOutcome, Side


def demo_as_json(outcome: DemoOutcome, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Both questions per arm, and what was asked."""
    return {
        "asked": dict(asked),
        "held": outcome.held,
        "contrast": outcome.contrast,
        "arms": [_arm(arm) for arm in outcome.arms],
    }


def _arm(arm: DemoArm) -> dict[str, Any]:
    return {
        "name": arm.outcome.arm.name,
        "here": _side(arm.here),
        "elsewhere": _side(arm.elsewhere),
        "startup_seconds": arm.startup_seconds,
        "training_seconds": arm.training_seconds,
        "cpu_seconds": arm.cpu_seconds,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "runs": [run.planned.index for run in side.runs],
        "verdict": side.verdict.name,
        "reason": side.verdict.reason or None,
        "churn": side.churn,
        "variance": {name: spread.variance for name, spread in side.metrics.items()},
        "range": {name: spread.range for name, spread in side.metrics.items()},
    }
