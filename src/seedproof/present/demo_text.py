"""The demo for the terminal: a table that a reader can trust, and what each number means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from seedproof.checking.outcome import RunOutcome
from seedproof.compare.cost import Cost
from seedproof.compare.evidence import evidence_sentence
from seedproof.experiments.demo import DemoArm, DemoOutcome, Side
from seedproof.present.words import apart, where

if TYPE_CHECKING:
    from rich.table import Table

_TITLES = {"seeded": "seeded\n(without options)", "deterministic": "deterministic\n(with options)"}
_ANSWERS = {"identical": "yes", "diverged": "NO", "unknown": "unknown"}
_METRICS = ("loss", "accuracy")
_WIDTH = 110
_MEANING = """\
here: the same start again.{evidence}
elsewhere: run 0 against runs that start as on a machine with {cores} cores: fewer processors to \
see, or more threads asked for. Another type of processor is not covered.
variance: within a fold, over the runs, then averaged over the folds (population).
churn: the largest share of held-out images on whose class two runs disagree.
times: means of the runs that shared the machine; training is wall time after start-up.
{cost}
{so}
"""


def show(outcome: DemoOutcome, out: TextIO) -> None:
    """Writes the table and its meaning."""
    from rich.console import Console

    width = None if out.isatty() else _WIDTH
    Console(file=out, width=width, highlight=False, markup=False).print(table(outcome))
    out.write(meaning(outcome))


def table(outcome: DemoOutcome) -> Table:
    """The table: one column per arm, one row per number."""
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(box=SIMPLE, pad_edge=False)
    made.add_column("")
    for arm in outcome.arms:
        made.add_column(_TITLES[arm.outcome.arm.name], overflow="fold")
    for title, cells in _rows(outcome.arms):
        made.add_row(title, *cells)
    return made


def _rows(arms: tuple[DemoArm, ...]) -> Iterable[tuple[str, list[str]]]:
    yield "repeats here?", [_answer(arm.here) for arm in arms]
    yield "repeats elsewhere?", [_answer(arm.elsewhere) for arm in arms]
    yield "first divergence", [_where(arm) for arm in arms]
    for name in _METRICS:
        yield f"{name}, mean", [_number(arm.here, name, "mean") for arm in arms]
        yield f"{name}, variance here", [_number(arm.here, name, "variance") for arm in arms]
        yield "  and elsewhere", [_number(arm.elsewhere, name, "variance") for arm in arms]
        yield f"{name}, range elsewhere", [_number(arm.elsewhere, name, "range") for arm in arms]
    yield "churn here", [_percent(arm.here.churn) for arm in arms]
    yield "churn elsewhere", [_percent(arm.elsewhere.churn) for arm in arms]
    yield "a run: start-up", [_seconds(arm.startup_seconds) for arm in arms]
    yield "a run: training", [_seconds(arm.training_seconds) for arm in arms]
    yield "a run: processor time", [_seconds(arm.cpu_seconds) for arm in arms]


def _answer(side: Side) -> str:
    count = len(side.runs)
    reason = f": {side.verdict.reason}" if side.verdict.reason else ""
    return f"{_ANSWERS[side.verdict.name]} ({count} runs{reason})"


def _where(arm: DemoArm) -> str:
    verdict = arm.outcome.verdict
    if verdict.divergence is None or verdict.runs is None:
        return "none"
    run = arm.outcome.runs[verdict.runs[1]]
    threads = _threads(run)
    which = f"run {run.planned.index}"
    if threads:
        which += f" ({threads} core{'s' * (threads != 1)})"
    far = f"; {apart(arm.outcome.distance)}" if arm.outcome.distance else ""
    return f"{which}: {where(verdict.divergence, run.planned.index)}{far}"


def _threads(run: RunOutcome) -> int | None:
    return run.planned.launch.varied.get("num_threads")


def _number(side: Side, metric: str, field: str) -> str:
    spread = side.metrics.get(metric)
    return "unknown" if spread is None else f"{getattr(spread, field):.4g}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.2%}"


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"


def meaning(outcome: DemoOutcome) -> str:
    """What the numbers mean, and what they cannot mean."""
    runs = outcome.arms[0].outcome.runs
    threads = [str(_threads(run)) for run in runs if not run.planned.bare]
    return _MEANING.format(
        evidence=_evidence(outcome.arms),
        cores=" or ".join(threads),
        cost=_cost_line(outcome.cost),
        so=_contrast_line(outcome),
    )


def _evidence(arms: tuple[DemoArm, ...]) -> str:
    repeated = [arm for arm in arms if arm.here.verdict.name == "identical"]
    if not repeated:
        return ""
    name = "" if len(repeated) == len(arms) else f"{repeated[0].outcome.arm.name}: "
    return f" {name}{evidence_sentence(len(repeated[0].here.runs))}"


def _cost_line(cost: Cost | None) -> str:
    if cost is None:
        return "cost of determinism: not measured (no pairs of runs were timed alone)"
    interval = ""
    if cost.low is not None and cost.high is not None:
        interval = f", 95% interval {cost.low:.2f} to {cost.high:.2f}"
    return (
        f"cost of determinism: {cost.ratio:.2f} times the training time without{interval} "
        f"({cost.pairs} pairs of runs in turn, each alone on the machine)"
    )


def _contrast_line(outcome: DemoOutcome) -> str:
    seeded, deterministic = outcome.arms[0], outcome.arms[-1]
    if deterministic.repeats is None:
        return (
            "So: whether the training repeats with the options cannot be told: "
            f"{deterministic.untold}."
        )
    if not deterministic.repeats:
        return "So: with the options the training did not repeat everywhere; see where it parted."
    if seeded.repeats is None:
        return (
            "So: with the options the training repeats, here and elsewhere; whether it does with "
            f"seeds alone cannot be told: {seeded.untold}."
        )
    if not seeded.repeats:
        return (
            "So: with the options the training repeats, here and elsewhere; with seeds alone not."
        )
    return (
        "So: with the options the training repeats. Seeds alone repeated too: on this machine "
        "and this framework the number of threads changed no bit, so the contrast cannot be "
        "shown here."
    )
