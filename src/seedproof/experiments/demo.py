"""The demo: the reference experiment in two arms, here and as another machine would run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from seedproof.checking import plan
from seedproof.checking.arm_state import ArmState
from seedproof.checking.outcome import ArmOutcome, RunOutcome, conclude, verdict_on
from seedproof.compare.churn import churn, predictions
from seedproof.compare.cost import Cost, cost
from seedproof.compare.metrics import Spread, spreads
from seedproof.compare.verdict import Verdict
from seedproof.inside.machine import visible_cores

WITHOUT, WITH = "seeded", "deterministic"
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

    @property
    def repeats(self) -> bool | None:
        """Whether it repeated, here and elsewhere; None where that cannot be told."""
        names = {self.here.verdict.name, self.elsewhere.verdict.name}
        if "diverged" in names:
            return False
        return None if "unknown" in names else True

    @property
    def untold(self) -> str:
        """Why that cannot be told, in one clause; empty where it can."""
        reasons = [side.verdict.reason for side in (self.here, self.elsewhere)]
        return next(filter(None, reasons), "")


@dataclass(frozen=True)
class DemoOutcome:
    """Both arms, and what the options cost (None without timed pairs)."""

    arms: tuple[DemoArm, ...]
    cost: Cost | None

    @property
    def held(self) -> bool:
        """Whether the deterministic arm repeated, here and elsewhere."""
        return self.arms[-1].repeats is True

    @property
    def contrast(self) -> bool:
        """Whether the seeded arm did not repeat, here or elsewhere."""
        return self.arms[0].repeats is False


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
    named = [predictions(state.traces[run.planned.index].main) for run in done]
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
    """From the pairs of which both runs were timed."""
    timed = zip(*([_training(run) for run in _solo(arm)] for arm in both), strict=True)
    pairs = [pair for pair in timed if min(pair) > 0]
    if not pairs:
        return None
    without, with_options = zip(*pairs, strict=True)
    return cost(WITH, with_options, WITHOUT, without)


def _solo(arm: DemoArm) -> list[RunOutcome]:
    return [run for run in arm.outcome.runs if run.planned.solo]


def _training(run: RunOutcome) -> float:
    """Its seconds of training, 0 where it has not been timed to its end."""
    return (run.training_seconds or 0.0) if run.completed else 0.0
