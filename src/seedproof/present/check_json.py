"""A check as JSON, schema `seedproof.check/1`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from seedproof._version import __version__
from seedproof.checking.outcome import ArmOutcome, RunOutcome, overall_exit
from seedproof.compare.cost import Cost
from seedproof.compare.evidence import max_divergence_probability
from seedproof.compare.metrics import Spread
from seedproof.present import scope_words
from seedproof.present.words import SHARED_DIRECTORY

SCHEMA = "seedproof.check/1"


def check_as_json(
    command: Sequence[str],
    arms: Sequence[ArmOutcome],
    costs: Sequence[Cost] = (),
    *,
    users_script: bool = True,
) -> dict[str, Any]:
    """The whole result; numbers that are not finite become null, so that any reader copes.

    A `users_script` may find files that an earlier run of it has left.
    """
    status = overall_exit(arm.exit_status for arm in arms)
    names = [arm.verdict.name for arm in arms]
    worst = next((name for name in ("unknown", "diverged") if name in names), "identical")
    result = {
        "schema": SCHEMA,
        "seedproof": __version__,
        "command": list(command),
        "verdict": worst,
        "exit": status,
        "arms": [arm_as_json(arm, users_script) for arm in arms],
        "cost": [_cost(cost) for cost in costs],
    }
    return finite(result)  # type: ignore[no-any-return]


def arm_as_json(arm: ArmOutcome, users_script: bool = True) -> dict[str, Any]:
    """One arm; numbers may still be other than finite."""
    bound = None
    if arm.verdict.name == "identical":
        bound = max_divergence_probability(arm.starts[0])
    return {
        "name": arm.arm.name,
        "policy": arm.arm.policy,
        "pins": dict(arm.arm.pins),
        "verdict": arm.verdict.name,
        "reason": arm.verdict.reason or None,
        "exit": arm.exit_status,
        "scope": _scope(arm, users_script),
        "neutral": None if arm.control is None else arm.control.neutral,
        "control": None if arm.control is None else asdict(arm.control),
        "frameworks": [f"{name} {version}".strip() for name, version in arm.frameworks.items()],
        "environment": dict(arm.hello),
        "pinned": [dict(event) for event in arm.pinned],
        "runs": [_run(run) for run in arm.runs],
        "evidence": {
            "runs": len(arm.runs),
            "max_divergence_probability_95": bound,
            "varied_in_vain": list(arm.unmet),
        },
        "divergence": divergence_as_json(arm),
        "hints": [
            {"step": None if hint.before_training else hint.step, "name": hint.name}
            for hint in arm.hints
        ],
        "view": {key: arm.view.get(key) for key in ("way", "namespace", "notes")},
        "outputs": [asdict(one) for one in arm.outputs],
        "metrics": {name: _spread(spread) for name, spread in arm.metrics.items()},
    }


def _scope(arm: ArmOutcome, users_script: bool) -> dict[str, Any]:
    in_place = any(run.launch.view == "shared" for run in arm.arm.runs)
    shared = users_script and in_place and arm.verdict.name == "diverged"
    return {
        "steps": arm.steps,
        "complete": arm.complete and arm.stopped_after is None,
        "phases": list(arm.phases),
        "phases_not_seen": list(arm.phases_not_seen),
        "stopped_after": arm.stopped_after,
        "planned_steps": arm.planned,
        "not_reached": scope_words.not_reached(arm),
        "notes": [*arm.notes, *([SHARED_DIRECTORY] if shared else [])],
    }


def _run(run: RunOutcome) -> dict[str, Any]:
    end = run.end
    return {
        "index": run.planned.index,
        "rank": None,
        "ranks": [asdict(one) for one in run.ranks],
        "streams": list(run.streams),
        "solo": run.planned.solo,
        "varied": {
            name: {
                "requested": varied.requested,
                "offered": varied.offered,
                "effective": varied.effective,
            }
            for name, varied in run.varied.items()
        },
        "returncode": None if end is None else end.returncode,
        "stopped": None if end is None else end.stopped,
        "digest": run.digest,
        "records": run.records,
        "steps_observed": run.steps,
        "seconds": None if end is None else end.seconds,
        "startup_seconds": run.startup_seconds,
        "training_seconds": run.training_seconds,
        "cpu_seconds": None if end is None else end.cpu_seconds,
        "training_cpu_seconds": run.training_cpu_seconds,
    }


def divergence_as_json(arm: ArmOutcome) -> dict[str, Any] | None:
    """Where the runs part; None where they do not."""
    found = arm.verdict.divergence
    if found is None:
        return None
    assert arm.verdict.runs is not None
    distance = arm.distance
    own = None if distance is None or distance.phase != found.phase else distance
    return {
        "step": None if found.phase == "init" or found.before_training else found.step,
        "after_steps": found.step if found.phase == "init" else None,
        "phase": found.phase,
        "name": found.name,
        "kind": found.kind,
        "optimizer": found.optimizer,
        "stream": found.stream,
        "line": None,
        "runs": list(arm.verdict.runs),
        "values": None if found.values is None else list(found.values),
        "max_abs_diff": None if own is None else own.max_abs_diff,
        "max_ulp": None if own is None else own.max_ulp,
        "distance": None if distance is None else asdict(distance),
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "mean": spread.mean,
        "variance": spread.variance,
        "sample_variance": spread.sample_variance,
        "range": spread.range,
        "folds": list(spread.folds),
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "policy": cost.policy,
        "baseline": cost.baseline,
        "ratio": cost.ratio,
        "ci95_low": cost.low,
        "ci95_high": cost.high,
        "pairs": cost.pairs,
    }


def finite(value: Any) -> Any:
    """The same with null for every number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
