"""Recorded runs compared, as JSON: a check's result with what `diff` adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from seedproof.checking.outcome import ArmOutcome
from seedproof.compare.environments import Difference
from seedproof.compare.growth import Growth
from seedproof.present.check_json import check_as_json, finite


def diff_as_json(
    paths: Sequence[str],
    outcome: ArmOutcome,
    surroundings: Sequence[Sequence[Difference]],
    grown: Sequence[Growth],
) -> dict[str, Any]:
    """`growth` has one entry per array that both runs kept, `surroundings` one list per run after
    the reference."""
    result = check_as_json((), [outcome], users_script=False)
    result["compared"] = list(paths)
    result["growth"] = finite([_growth(one) for one in grown])
    result["surroundings"] = [[asdict(one) for one in differences] for differences in surroundings]
    return result


def _growth(one: Growth) -> dict[str, Any]:
    place = {"step": one.step, "phase": one.phase, "stream": one.stream, "name": one.name}
    return {**place, **asdict(one.apart), "share": one.apart.share}
