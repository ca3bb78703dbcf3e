"""From what the user asked to the launches that answer it: arms, runs, variations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from allpairspy import AllPairs

from seedproof.errors import UsageError
from seedproof.inside.machine import visible_cores
from seedproof.launch import Launch, Value
from seedproof.policies import pins_of
from seedproof.sources import CATALOGUE
from seedproof.sources.base import Source

Variation = Mapping[str, Value]
BARE: Variation = {}


@dataclass(frozen=True)
class PlannedRun:
    """One run of an arm. `cores` is the room that it takes among runs side by side; a `solo` run
    is timed, so nothing runs beside it."""

    arm: str
    index: int
    launch: Launch
    cores: int
    solo: bool = False

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


def source_named(name: str) -> Source:
    """The source with this id; UsageError where there is none."""
    if name not in CATALOGUE:
        raise UsageError(f"{name}: no such source; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _parse(source: Source, text: str, flag: str) -> Value:
    try:
        return source.parse(text)
    except ValueError as error:
        raise UsageError(f"{flag} {source.id}={text}: found {text!r}; allowed is {error}") from None


def pins(policy: str, extra: Iterable[str], seed: int, threads: int) -> dict[str, Value]:
    """The pins of a policy and of every `--pin SOURCE[=VALUE]`, with their values."""
    chosen = pins_of(policy, seed, threads)
    defaults = pins_of("deterministic", seed, threads)
    for item in extra:
        name, equals, text = item.partition("=")
        source = source_named(name)
        chosen[name] = _parse(source, text, "--pin") if equals else defaults[name]
    return chosen


def refuse_contradictions(
    pins: Mapping[str, Value], by_name: Iterable[str], found: Mapping[str, str]
) -> None:
    """Stops where the user's own environment says the opposite of a pin not asked for by name."""
    for name in pins.keys() - set(by_name):
        for variable in CATALOGUE[name].variables(pins[name]):
            own = found.get(variable.name)
            if own is not None and not variable.accepts(own):
                raise UsageError(
                    f"{variable.name}={own} in the environment contradicts the pin of {name}, "
                    f"which needs {variable.value}; unset it, or let the pin win: --pin {name}"
                )


def variations(vary: Iterable[str], runs: int) -> list[Variation]:
    """One variation per run: every value of each source is met, every pair of values too."""
    values = dict(_varied_values(item) for item in vary)
    if not values:
        return [BARE] * runs
    if len(values) == 1:
        ((name, choices),) = values.items()
        count = max(runs, len(choices))
        return [{name: choices[at % len(choices)]} for at in range(count)]
    rows = [dict(zip(values, row, strict=True)) for row in AllPairs(list(values.values()))]
    return [rows[at % len(rows)] for at in range(max(runs, len(rows)))]


def _varied_values(item: str) -> tuple[str, list[Value]]:
    name, equals, text = item.partition("=")
    source = source_named(name)
    if not equals:
        return name, list(source.variations())
    return name, [_parse(source, part, "--vary") for part in text.split(",")]


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


def base_launch(command: Sequence[str]) -> Launch:
    """The launch before any source is touched: this environment, this directory."""
    return Launch(tuple(command), str(Path.cwd()), dict(os.environ))
