"""What differed in the surroundings of two runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from seedproof.inside.machine import telling_variables
from seedproof.trace.reader import Trace

_FACTS = {
    "python": "Python",
    "platform": "platform",
    "machine": "machine",
    "cores": "visible cores",
    "hash_seed": "hash seed",
    "seedproof": "seedproof",
}


@dataclass(frozen=True)
class Difference:
    """One fact of the two runs' surroundings; None is what a run did not tell, or did not have."""

    name: str
    reference: str | None
    other: str | None


def environment_differences(reference: Trace, other: Trace) -> list[Difference]:
    """What differs of interpreter, machine, frameworks, variables that can change results, and
    pins; never a secret."""
    ours, theirs = _facts(reference), _facts(other)
    names = dict.fromkeys((*ours, *theirs))
    return [
        Difference(name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def _facts(trace: Trace) -> dict[str, str]:
    hello = trace.hello or {}
    facts = {title: _said(hello[name]) for name, title in _FACTS.items() if name in hello}
    for event in trace.all("framework"):
        facts.setdefault(event["name"], event["version"])
    # Anybody may have written this trace, so what may be a secret is left out here too.
    variables = telling_variables(hello.get("variables", {}))
    facts |= {f"variable {name}": _said(value) for name, value in variables.items()}
    return facts | {f"pin {name}": _said(value) for name, value in hello.get("pins", {}).items()}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
