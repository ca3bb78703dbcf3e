"""What an event of a trace must hold: whoever reads a trace relies on these fields and no others.

A trace may come from anywhere, so every line is checked once, here, before anything looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from seedproof.trace.format import BEFORE_TRAINING, KINDS, PHASES, SCHEMA

_LARGEST = 2**63 - 1
_DEEPEST = 16

Check = Callable[[Any], bool]


def checked(event: Any) -> dict[str, Any]:
    """`event` itself; of a `hello` of another schema, only what names schema and digest.

    Raises ValueError for what no writer of this schema writes. Kinds and fields that are not
    known here are let through: a later version may add some.
    """
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise ValueError("no event")
    if is_foreign(event):
        named = {key: event.get(key) for key in ("event", "schema", "digest")}
        return {key: value for key, value in named.items() if isinstance(value, str)}
    if not _has(event, _REQUIRED.get(event["event"], {}), _OPTIONAL.get(event["event"], {})):
        raise ValueError(f"a damaged {event['event']}")
    if _depth(event) > _DEEPEST:
        raise ValueError("nested too deeply")
    return event


def is_foreign(event: Mapping[str, Any]) -> bool:
    """Whether a trace that begins with `event` is of another schema, of which nothing is known."""
    return event["event"] == "hello" and event.get("schema") != SCHEMA


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _count(value: Any) -> bool:
    return _whole(value) and value >= 0


def _step(value: Any) -> bool:
    return _whole(value) and value >= BEFORE_TRAINING


def _number(value: Any) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


def _scalar(value: Any) -> bool:
    return isinstance(value, bool) or _text(value) or _number(value)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _phase(value: Any) -> bool:
    return value in PHASES


def _kind(value: Any) -> bool:
    return value in KINDS


def _list_of(check: Check, least: int = 0) -> Check:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(check, value))


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _column(value: Any) -> bool:
    return isinstance(value, dict) and _has(value, {"phase": _phase, "name": _text}, _COLUMN)


def _has(
    fields: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]
) -> bool:
    return all(name in fields and check(fields[name]) for name, check in required.items()) and all(
        check(fields[name]) for name, check in optional.items() if name in fields
    )


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


_COLUMN: dict[str, Check] = {
    "kind": _kind,
    "dtype": _text,
    "shape": _or_null(_list_of(_or_null(_count))),
    "fold": _or_null(_whole),
}
_TIMES: dict[str, Check] = {"at": _number, "cpu": _number}
_REQUIRED: dict[str, dict[str, Check]] = {
    "hello": {"digest": _text, "at": _number},
    "framework": {"name": _text, "version": _text},
    "pinned": {
        "framework": _text,
        "source": _text,
        "set": _list_of(_text),
        "missed": _list_of(_text),
    },
    "offered": {
        "framework": _text,
        "source": _text,
        "value": _scalar,
        "set": _list_of(_text),
        "missed": _list_of(_text),
    },
    "used": {"source": _text, "file": _text, "line": _count},
    "table": {"number": _count, "key": _text, "columns": _list_of(_column, least=1)},
    "value": {
        "name": _text,
        "phase": _phase,
        "step": _step,
        "dtype": _text,
        "shape": _list_of(_count),
        "offset": _count,
        "bytes": _count,
    },
    "training_begins": _TIMES,
    "training_ends": _TIMES,
    "trouble": {"where": _text, "error": _text},
    "unseen": {"text": _text},
    "note": {"text": _text},
    "planned": {"steps": _count},
    "operation": {"number": _count, "name": _text},
}
_CLOCK: dict[str, Check] = {"clock": _number}
_OPTIONAL: dict[str, dict[str, Check]] = {
    "operation": {"file": _text, "line": _count},
    "hello": {
        "pins": _mapping,
        "variables": _mapping,
        "role": _text,
        "mode": _text,
        "world_size": _or_null(_count),
        "seedproof": _text,
    },
    "ambiguous": {"why": _text},
    "end": {"stopped_after": _count},
    "training_begins": _CLOCK,
    "training_ends": _CLOCK,
}
