"""An explanation as JSON, schema `seedproof.explain/1`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from seedproof._version import __version__
from seedproof.present.check_json import divergence_as_json, finite
from seedproof.search.explanation import Cause, Explanation, Place
from seedproof.sources import CATALOGUE

SCHEMA = "seedproof.explain/1"


def explanation_as_json(command: Sequence[str], found: Explanation) -> dict[str, Any]:
    """The whole result; a cause of several sources together has one entry for each."""
    operation = None if found.operation is None else asdict(found.operation)
    divergence = divergence_as_json(found.outcome)
    if divergence is not None and found.operation is not None:
        divergence["line"] = _line(found.operation.place)
    result = {
        "schema": SCHEMA,
        "seedproof": __version__,
        "command": list(command),
        "verdict": found.outcome.verdict.name,
        "exit": found.outcome.exit_status,
        "reason": found.outcome.verdict.reason or None,
        "divergence": divergence,
        "moves": found.moves or None,
        "operation": operation,
        "unnamed": found.unnamed or None,
        "causes": [one for cause in found.causes for one in _cause(cause)],
        "remains": found.remains or None,
        "hidden": list(found.hidden),
        "runs": found.runs,
    }
    return finite(result)  # type: ignore[no-any-return]


def _line(place: Place | None) -> str | None:
    return None if place is None else f"{place.file}:{place.line}"


def _cause(cause: Cause) -> list[dict[str, Any]]:
    return [
        {
            "source": source,
            "together_with": [other for other in cause.sources if other != source],
            "status": cause.status,
            "varied": cause.varied,
            "line": _line(next(iter(cause.lines), None)),
            "lines": [_line(place) for place in cause.lines],
            "unpinned_diverged": cause.unpinned.parted,
            "unpinned_runs": cause.unpinned.runs,
            "pinned_identical": cause.pinned.runs - cause.pinned.parted,
            "pinned_runs": cause.pinned.runs,
            "fix": CATALOGUE[source].fix,
        }
        for source in cause.sources
    ]
