"""From what the user asked to the launches that answer it: arms, runs, variations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from seedproof.errors import UsageError
from seedproof.inside.machine import visible_cores
from seedproof.launch import Launch, Value
from seedproof.policies import pins_of
from seedproof.sources import CATALOGUE
from seedproof.sources.base import Source, Variable

_T = TypeVar("_T")
Variation = Mapping[str, Value]
BARE: Variation = {}
ALL = "all"


@dataclass(frozen=True)
class PlannedRun:
    """One run of an arm. `cores` is the room that it takes among runs side by side; a `solo` run
    is timed, so nothing runs beside it. A `control` run is no evidence for the verdict: it is
    `perturbed` by one bit, or recorded at its `end` alone."""

    arm: str
    index: int
    launch: Launch
    cores: int
    solo: bool = False
    control: Literal["", "perturbed", "end"] = ""

    @property
    def bare(self) -> bool:
        """Whether nothing was varied for it."""
        return not self.launch.varied


@dataclass(frozen=True)
class Arm:
    """One policy with its runs."""

    name: str
    policy: str
    pins: Mapping[str, Value]
    runs: tuple[PlannedRun, ...]
    controls: tuple[PlannedRun, ...] = ()


def pins(policy: str, extra: Iterable[str], seed: int, threads: int) -> dict[str, Value]:
    """The pins of a policy and of every `--pin SOURCE[=VALUE]`, with their values."""
    chosen = pins_of(policy, seed, threads)
    for source, value in _each_once(map(pin_item, extra), "--pin"):
        chosen[source.id] = source.pinned(seed, threads) if value is None else value
    return chosen


def pin_item(text: str) -> tuple[Source, Value | None]:
    """`SOURCE[=VALUE]` taken apart; ValueError says what is allowed."""
    source, value = _source_and_text(text)
    return source, None if value is None else _parsed(source, value)


def vary_item(text: str) -> tuple[Source, list[Value]]:
    """`SOURCE[=V1,V2,…]` taken apart; ValueError says what is allowed."""
    source, values = _source_and_text(text)
    if values is None:
        return source, list(source.variations())
    found = list(dict.fromkeys(_parsed(source, part) for part in values.split(",")))
    if len(found) == 1:
        raise ValueError(f"{source.id}=V1,V2,…: two values or more, since one varies nothing")
    return source, found


def _source_and_text(item: str) -> tuple[Source, str | None]:
    name, equals, text = item.partition("=")
    if name not in CATALOGUE:
        raise ValueError("one of " + ", ".join(CATALOGUE))
    return CATALOGUE[name], text if equals else None


def _parsed(source: Source, text: str) -> Value:
    try:
        return source.parse(text)
    except ValueError as error:
        raise ValueError(f"{source.id}=VALUE, where VALUE is {error}") from None


def _each_once(items: Iterable[tuple[Source, _T]], flag: str) -> Iterator[tuple[Source, _T]]:
    """A source that is named twice would have to mean two things."""
    seen = set()
    for source, value in items:
        if source.id in seen:
            raise UsageError(f"{flag} {source.id}: found twice; name each source once")
        seen.add(source.id)
        yield source, value


def refuse_contradictions(
    pins: Mapping[str, Value], by_name: Iterable[str], found: Mapping[str, str]
) -> None:
    """Stops where the user's own environment says the opposite of a pin not asked for by name."""
    asked_for = set(by_name)
    for name, variable, own in _contradictions(pins, found):
        if name not in asked_for:
            raise UsageError(
                f"{variable.name}={own} in the environment contradicts the pin of {name}, "
                f"which needs {variable.value}; unset it, or let the pin win: --pin {name}"
            )


def set_aside(pins: Mapping[str, Value], found: Mapping[str, str]) -> list[str]:
    """What to say of the user's own variables that the pins overrule."""
    return [
        f"{variable.name}={own} is set aside: {name} is pinned to {variable.name}={variable.value}"
        for name, variable, own in _contradictions(pins, found)
    ]


def _contradictions(
    pins: Mapping[str, Value], found: Mapping[str, str]
) -> Iterator[tuple[str, Variable, str]]:
    for name, value in pins.items():
        for variable in CATALOGUE[name].variables(value):
            own = found.get(variable.name)
            if own is not None and not variable.accepts(own):
                yield name, variable, own


def check_vary_item(text: str) -> None:
    """Raises ValueError, saying what is allowed, for what is none of `SOURCE[=V1,V2,…]`, `all` and
    `-SOURCE`."""
    if text.startswith("-") and text[1:] not in CATALOGUE:
        raise ValueError("one of " + ", ".join(CATALOGUE))
    if text != ALL and not text.startswith("-"):
        vary_item(text)


def _values_to_vary(items: Sequence[str]) -> dict[str, list[Value]]:
    """By source: each that is named or, with `all`, every one without those that are left out."""
    left_out = {item[1:] for item in items if item.startswith("-")}
    named = [item for item in items if item != ALL and not item.startswith("-")]
    values = {source.id: found for source, found in _each_once(map(vary_item, named), "--vary")}
    for name in sorted(left_out):
        if ALL not in items or name in values:
            raise UsageError(
                f"--vary=-{name}: it leaves a source out of --vary all, and of no other"
            )
    if ALL not in items:
        return values
    own = {name: list(source.variations()) for name, source in CATALOGUE.items()}
    return {name: found for name, found in {**own, **values}.items() if name not in left_out}


def variations(vary: Iterable[str], runs: int) -> list[Variation]:
    """One variation per run: every value of each source is met, every pair of values too."""
    values = _values_to_vary(list(vary))
    if not values:
        return [BARE] * runs
    if len(values) == 1:
        ((name, choices),) = values.items()
        count = max(runs, len(choices))
        return [{name: choices[at % len(choices)]} for at in range(count)]
    from allpairspy import AllPairs

    rows = [dict(zip(values, row, strict=True)) for row in AllPairs(list(values.values()))]
    return [rows[at % len(rows)] for at in range(max(runs, len(rows)))]


def arm(
    policy: str,
    pins: Mapping[str, Value],
    base: Launch,
    variations: Sequence[Variation],
    solo: int = 0,
) -> Arm:
    """An arm: one run per variation, then `solo` bare runs to be timed alone."""
    shared = [_run(policy, at, pins, base, varied) for at, varied in enumerate(variations)]
    alone = [_run(policy, len(shared) + at, pins, base, BARE, solo=True) for at in range(solo)]
    return Arm(policy, policy, pins, (*shared, *alone))


def with_controls(arm: Arm) -> Arm:
    """With two more runs that start as run 0 does: one is perturbed, one recorded at its end."""
    first, count = arm.runs[0], len(arm.runs)
    perturbed = first.launch.with_scope(perturbed=True)
    at_end = first.launch.with_scope(recording="end")
    controls = (
        replace(first, index=count, launch=perturbed, control="perturbed"),
        replace(first, index=count + 1, launch=at_end, control="end"),
    )
    return replace(arm, controls=controls)


def _run(
    arm: str,
    index: int,
    pins: Mapping[str, Value],
    base: Launch,
    varied: Variation,
    solo: bool = False,
) -> PlannedRun:
    launch = base
    for name, value in varied.items():
        launch = CATALOGUE[name].vary(launch, value)
    for name, value in pins.items():
        launch = CATALOGUE[name].pin(launch, value)
    return PlannedRun(arm, index, launch, _cores(launch), solo)


def _cores(launch: Launch) -> int:
    """As many as its pinned threads, else half of those that it sees."""
    visible = visible_cores() if launch.affinity is None else len(launch.affinity)
    pinned = launch.pins.get("num_threads")
    return min(visible, pinned) if pinned else max(1, visible // 2)


def base_launch(command: Sequence[str], directory: str | None = None) -> Launch:
    """The launch before any source is touched: this environment, this directory."""
    return Launch(tuple(command), directory or str(Path.cwd()), dict(os.environ))
