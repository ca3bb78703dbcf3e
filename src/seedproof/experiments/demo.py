"""The demo: the reference experiment in two arms, here and as another machine would run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Protocol

from seedproof.checking import plan
from seedproof.checking.conduct import ArmState, Watcher
from seedproof.checking.outcome import ArmOutcome, RunOutcome, conclude, verdict_on
from seedproof.compare.churn import churn, predictions
from seedproof.compare.cost import Cost, cost
from seedproof.compare.metrics import Spread, final_metrics, spreads
from seedproof.compare.verdict import Verdict
from seedproof.experiments.article_results import append_run
from seedproof.inside.machine import visible_cores
from seedproof.runner.base import Exit
from seedproof.sources import CATALOGUE

WITHOUT, WITH = "seeded", "deterministic"
_FILES = {WITHOUT: "without_tf_option", WITH: "with_tf_option"}
_THREADS_ELSEWHERE = (1, 2, 4)


def arms(command: Sequence[str], runs: int, pairs: int, seed: int, threads: int) -> list[plan.Arm]:
    """Both arms: `runs` bare runs each, some as other machines would, and `pairs` timed alone."""
    elsewhere = [{"num_threads": n} for n in _THREADS_ELSEWHERE if n != visible_cores()]
    variations = [plan.BARE] * runs + elsewhere
    base = plan.base_launch(command)
    return [
        plan.arm(policy, plan.pins(policy, (), seed, threads), base, variations, solo=pairs)
        for policy in (WITHOUT, WITH)
    ]


def set_aside(arms: Sequence[plan.Arm], found: Mapping[str, str]) -> list[str]:
    """The user's own variables that contradict a pin of the demo, which asks for it by name."""
    lines = set()
    for arm in arms:
        for name, value in arm.pins.items():
            for variable in CATALOGUE[name].variables(value):
                own = found.get(variable.name)
                if own is not None and not variable.accepts(own):
                    lines.add(f"{variable.name}={own} is set aside in the arm {arm.name}")
    return sorted(lines)


class ResultFiles:
    """The article's text files: bare repeats in one, varied runs in another, timed ones in none."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def start_afresh(self) -> None:
        """Removes old results; raises OSError where the directory cannot be used."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for arm in _FILES:
            for suffix in ("", ".varied"):
                self._path(arm, suffix).unlink(missing_ok=True)

    def append(self, run: plan.PlannedRun, state: ArmState) -> None:
        """One finished run, stamped with the time of its end."""
        end = state.exits[run.index]
        if run.solo or end.returncode != 0 or end.stopped is not None:
            return
        stream = state.streams[run.index]
        stream.refresh()
        metrics = final_metrics(stream)
        loss, accuracy = metrics.get("loss", {}), metrics.get("accuracy", {})
        rows = [(fold, loss[fold], accuracy[fold]) for fold in sorted(loss)]
        stamp = datetime.fromtimestamp(end.ended).astimezone()
        append_run(self._path(run.arm, "" if run.bare else ".varied"), stamp, rows)

    def _path(self, arm: str, suffix: str) -> Path:
        return self._directory / f"{_FILES[arm]}{suffix}.txt"


class _States(Protocol):
    states: dict[str, ArmState]


class Appending:
    """A watcher that also appends each finished run to its file."""

    def __init__(self, watcher: Watcher, files: ResultFiles) -> None:
        self._watcher = watcher
        self._files = files
        self.conductor: _States | None = None

    def started(self, run: plan.PlannedRun) -> None:
        """Passed on."""
        self._watcher.started(run)

    def progress(self, run: plan.PlannedRun, steps: int) -> None:
        """Passed on."""
        self._watcher.progress(run, steps)

    def finished(self, run: plan.PlannedRun, end: Exit) -> None:
        """Appended, then passed on."""
        assert self.conductor is not None
        self._files.append(run, self.conductor.states[run.arm])
        self._watcher.finished(run, end)


@dataclass(frozen=True)
class Side:
    """One question of an arm: its runs, the verdict on them, and how far they are apart.

    `churn` is the largest share of held-out images on whose class two runs disagree.
    """

    runs: tuple[RunOutcome, ...]
    verdict: Verdict
    metrics: Mapping[str, Spread]
    churn: float | None


@dataclass(frozen=True)
class DemoArm:
    """One arm: `here`, the repeats on this machine; `elsewhere`, run 0 against the varied runs."""

    outcome: ArmOutcome
    here: Side
    elsewhere: Side
    startup_seconds: float | None
    training_seconds: float | None
    cpu_seconds: float | None


@dataclass(frozen=True)
class DemoOutcome:
    """Both arms, and what the options cost (None without timed pairs)."""

    arms: tuple[DemoArm, ...]
    cost: Cost | None

    @property
    def held(self) -> bool:
        """Whether the deterministic arm repeated, here and elsewhere."""
        arm = self.arms[-1]
        return arm.here.verdict.name == arm.elsewhere.verdict.name == "identical"

    @property
    def contrast(self) -> bool:
        """Whether the seeded arm did not repeat, here or elsewhere."""
        sides = (self.arms[0].here, self.arms[0].elsewhere)
        return any(side.verdict.name == "diverged" for side in sides)


def outcome(states: Mapping[str, ArmState]) -> DemoOutcome:
    """What the demo found."""
    both = tuple(_arm(state) for state in states.values())
    return DemoOutcome(both, _cost(both))


def _arm(state: ArmState) -> DemoArm:
    whole = conclude(state)
    bare = [run for run in whole.runs if run.planned.bare]
    varied = [run for run in whole.runs if not run.planned.bare and _reached(run)]
    shared = [run for run in bare if not run.planned.solo]
    return DemoArm(
        outcome=whole,
        here=_side(state, bare),
        elsewhere=_side(state, [bare[0], *varied]),
        startup_seconds=_mean(run.startup_seconds for run in shared),
        training_seconds=_mean(run.training_seconds for run in shared),
        cpu_seconds=_mean(run.end.cpu_seconds for run in shared if run.end),
    )


def _reached(run: RunOutcome) -> bool:
    return all(varied.reached for varied in run.varied.values())


def _side(state: ArmState, runs: Sequence[RunOutcome]) -> Side:
    done = [run for run in runs if run.completed]
    named = [predictions(state.streams[run.planned.index]) for run in done]
    shares = [share for a, b in combinations(named, 2) if (share := churn(a, b)) is not None]
    return Side(
        runs=tuple(runs),
        verdict=verdict_on(state, runs),
        metrics=spreads(run.metrics for run in done),
        churn=max(shares, default=None),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _cost(both: Sequence[DemoArm]) -> Cost | None:
    times = [
        [run.training_seconds for run in arm.outcome.runs if run.planned.solo and run.completed]
        for arm in both
    ]
    if not times[0] or len(times[0]) != len(times[1]) or None in times[0] + times[1]:
        return None
    without, with_options = ([float(t) for t in arm if t is not None] for arm in times)
    return cost(WITH, with_options, WITHOUT, without)
