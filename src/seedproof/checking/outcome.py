"""What came out of a check: one outcome per arm, pure data, ready for every presenter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedproof.checking.conduct import ArmState
from seedproof.checking.plan import Arm, PlannedRun
from seedproof.compare.distance import Distance, distance_after
from seedproof.compare.metrics import Folds, Spread, final_metrics, spreads
from seedproof.compare.trace_digest import trace_digest
from seedproof.compare.verdict import Verdict, compared_phases, judge
from seedproof.errors import INTERRUPTED
from seedproof.runner.base import Exit
from seedproof.sources import CATALOGUE
from seedproof.trace.format import PHASES
from seedproof.trace.reader import Stream

# The exit statuses, the most telling first: with several arms, the first that any arm has.
TIMEOUT = 124
NOT_RECORDED = 3
SCRIPT_FAILED = 4
UNKNOWN = 5
DIVERGED = 1
IDENTICAL = 0
PRECEDENCE = (INTERRUPTED, TIMEOUT, NOT_RECORDED, SCRIPT_FAILED, UNKNOWN, DIVERGED, IDENTICAL)
Event = Mapping[str, Any]
_BY_VERDICT = {"identical": IDENTICAL, "diverged": DIVERGED, "unknown": UNKNOWN}


@dataclass(frozen=True)
class Varied:
    """A variation as asked for, as the process met it (None: not told), and as it took effect."""

    requested: Any
    offered: Any
    effective: Any

    @property
    def reached(self) -> bool:
        """Whether the variation reached the process; otherwise the run is no evidence for it."""
        return bool(self.offered == self.requested)


@dataclass(frozen=True)
class RunOutcome:
    """One run, as far as it came; `began` tells whether the recording did."""

    planned: PlannedRun
    end: Exit | None
    began: bool
    digest: str
    records: int
    steps: int
    varied: Mapping[str, Varied]
    startup_seconds: float | None
    training_seconds: float | None
    training_cpu_seconds: float | None
    metrics: Mapping[str, Folds]

    @property
    def start(self) -> frozenset[tuple[str, Any]]:
        """What of its start was varied and reached it: runs with the same one started alike."""
        return frozenset((name, one.requested) for name, one in self.varied.items() if one.reached)

    @property
    def completed(self) -> bool:
        """Whether it came to its end by itself, and successfully."""
        return self.end is not None and self.end.returncode == 0 and self.end.stopped is None

    @property
    def failed(self) -> bool:
        """Whether the script itself failed, or could not be started."""
        return self.end is not None and self.end.stopped is None and self.end.returncode != 0

    @property
    def unseen(self) -> bool:
        """Whether it ran and ended by itself without our recording."""
        end = self.end
        ended = end is not None and end.stopped is None and end.returncode is not None
        return ended and not self.began


@dataclass(frozen=True)
class ArmOutcome:
    """One arm: the verdict on all of its runs, and the runs."""

    arm: Arm
    verdict: Verdict
    exit_status: int
    distance: Distance | None
    runs: tuple[RunOutcome, ...]
    hello: Mapping[str, Any]
    frameworks: Mapping[str, str]
    pinned: tuple[Mapping[str, Any], ...]
    phases: tuple[str, ...]
    metrics: Mapping[str, Spread]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every run came to its end."""
        return all(run.completed for run in self.runs)

    @property
    def steps(self) -> int:
        """The steps that all runs have made, of those that have begun."""
        return min((run.steps for run in self.runs if run.began or run.records), default=0)

    @property
    def phases_not_seen(self) -> tuple[str, ...]:
        """The phases of which nothing was recorded."""
        return tuple(phase for phase in PHASES if phase not in self.phases)

    @property
    def starts(self) -> tuple[int, ...]:
        """How many runs started alike, for each start that was met, that of run 0 first."""
        return tuple(Counter(run.start for run in self.runs).values())

    @property
    def unmet(self) -> tuple[str, ...]:
        """The sources that were varied in vain: all runs met the same value of them, so that
        nothing is shown about them."""
        names = dict.fromkeys(name for run in self.runs for name in run.varied)
        return tuple(name for name in names if len(self._met(name)) < 2)

    def _met(self, name: str) -> set[Any]:
        """The values that reached a run; a run that was not varied met one more, the machine's."""
        met = [run.varied[name] for run in self.runs if name in run.varied]
        values = {varied.requested for varied in met if varied.reached}
        return values if len(met) == len(self.runs) else {*values, None}


def conclude(state: ArmState) -> ArmOutcome:
    """The outcome of an arm from what is on disk."""
    runs = tuple(_run_outcome(run, state) for run in state.arm.runs)
    completed = [run.planned.index for run in runs if run.completed]
    verdict = judge(state.comparisons, completed)
    first = state.streams[0]
    return ArmOutcome(
        arm=state.arm,
        verdict=verdict,
        exit_status=_exit_status(verdict, runs),
        distance=_distance(verdict, state.streams),
        runs=runs,
        hello=first.hello or {},
        frameworks={event["name"]: event["version"] for event in first.all("framework")},
        pinned=tuple(first.all("pinned")),
        phases=tuple(phase for phase in PHASES if phase in compared_phases(first)),
        metrics=spreads(run.metrics for run in runs) if len(completed) == len(runs) else {},
        notes=_notes(state.streams.values()),
    )


def verdict_on(state: ArmState, runs: Iterable[RunOutcome]) -> Verdict:
    """The verdict on the given runs alone, run 0 among them."""
    chosen = {run.planned.index: run for run in runs}
    comparisons = {index: state.comparisons[index] for index in chosen if index != 0}
    return judge(comparisons, [index for index, run in chosen.items() if run.completed])


def overall_exit(statuses: Iterable[int]) -> int:
    """The exit status of several arms."""
    present = set(statuses)
    return next((status for status in PRECEDENCE if status in present), UNKNOWN)


def _run_outcome(run: PlannedRun, state: ArmState) -> RunOutcome:
    stream = state.streams[run.index]
    effective: dict[str, Any] = {}
    for event in stream.all("effective"):
        effective.update(event)
    begins, ends = stream.all("training_begins"), stream.all("training_ends")
    hello = stream.hello
    return RunOutcome(
        planned=run,
        end=state.exits.get(run.index),
        began=hello is not None,
        digest=trace_digest(stream),
        records=sum(t.whole_rows() * len(t.columns) for t in stream.tables.values()),
        steps=stream.watermark(),
        varied={
            name: Varied(
                value, CATALOGUE[name].offered(hello or {}), _number_if_one(effective.get(name))
            )
            for name, value in run.launch.varied.items()
        },
        startup_seconds=_seconds(hello, begins[0]) if begins and hello else None,
        training_seconds=_sum_of_spans(begins, ends, _seconds),
        training_cpu_seconds=_sum_of_spans(begins, ends, _cpu_seconds),
        metrics=final_metrics(stream),
    )


def _notes(streams: Iterable[Stream]) -> tuple[str, ...]:
    """What the recordings have to say to a person, each once."""
    said: dict[str, None] = {}
    for stream in streams:
        said.update((event["text"], None) for event in stream.all("note"))
        said.update((f"{event['text']} were not looked at", None) for event in stream.all("unseen"))
    return tuple(said)


def _number_if_one(found: Any) -> Any:
    """`hash_seed` is a number or `random`, and a text in both cases."""
    digits = isinstance(found, str) and found.isascii() and found.isdigit()
    return int(found) if digits else found


def _sum_of_spans(
    begins: Sequence[Event], ends: Sequence[Event], span: Callable[[Event, Event], float]
) -> float | None:
    if not begins or len(begins) != len(ends):
        return None
    return float(sum(map(span, begins, ends)))


def _seconds(begin: Event, end: Event) -> float:
    """By the clock that nobody sets, where both have it."""
    clock = "clock" if "clock" in begin and "clock" in end else "at"
    return float(end[clock] - begin[clock])


def _cpu_seconds(begin: Event, end: Event) -> float:
    return float(end["cpu"] - begin["cpu"])


def _distance(verdict: Verdict, streams: Mapping[int, Stream]) -> Distance | None:
    if verdict.divergence is None or verdict.runs is None:
        return None
    a, b = (streams[index] for index in verdict.runs)
    return distance_after(a, b, verdict.divergence.name, verdict.divergence.step)


def _exit_status(verdict: Verdict, runs: Sequence[RunOutcome]) -> int:
    if any(run.end is not None and run.end.stopped == "timeout" for run in runs):
        return TIMEOUT
    if any(run.unseen for run in runs):
        return NOT_RECORDED
    if any(run.failed for run in runs):
        return SCRIPT_FAILED
    return _BY_VERDICT[verdict.name]
