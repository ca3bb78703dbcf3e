"""What came out of a check: one outcome per arm, pure data, ready for every presenter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedproof.checking.arm_state import ArmState
from seedproof.checking.controls import Control, control_of, with_control
from seedproof.checking.outputs import Outputs, compared, with_outputs
from seedproof.checking.plan import Arm
from seedproof.checking.run_outcome import RunOutcome, Varied, run_outcome
from seedproof.compare.comparison import Comparison
from seedproof.compare.distance import Distance, distance_after
from seedproof.compare.divergence import Divergence
from seedproof.compare.metrics import Spread, spreads
from seedproof.compare.rows import compared_phases
from seedproof.compare.verdict import Verdict, judge
from seedproof.errors import INTERRUPTED
from seedproof.trace.format import PHASES
from seedproof.trace.reader import Trace

__all__ = ["ArmOutcome", "RunOutcome", "Varied", "conclude", "overall_exit", "verdict_on"]

# The exit statuses, the most telling first: with several arms, the first that any arm has.
TIMEOUT = 124
NOT_RECORDED = 3
SCRIPT_FAILED = 4
UNKNOWN = 5
DIVERGED = 1
IDENTICAL = 0
PRECEDENCE = (INTERRUPTED, TIMEOUT, NOT_RECORDED, SCRIPT_FAILED, UNKNOWN, DIVERGED, IDENTICAL)
_BY_VERDICT = {"identical": IDENTICAL, "diverged": DIVERGED, "unknown": UNKNOWN}


@dataclass(frozen=True)
class ArmOutcome:
    """One arm: the verdict on all of its runs, and the runs.

    `hints` are the random generators whose states differ in the two runs that part, the earliest
    first. `unseen` is true where some of the training could not be looked at. `stopped_after` is
    the number of steps after which runs were ended on purpose (None: they went to their ends),
    `planned` how many the training meant to make. `control` and `outputs` are what was found of
    them where they were asked for. `view` is how run 0 saw the working directory; empty where it
    worked in it.
    """

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
    hints: tuple[Divergence, ...] = ()
    unseen: bool = False
    stopped_after: int | None = None
    planned: int | None = None
    control: Control | None = None
    outputs: tuple[Outputs, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every run came to its end."""
        return all(run.completed for run in self.runs)

    @property
    def steps(self) -> int:
        """The steps that all runs have made, of those that have begun, and that were compared."""
        made = min((run.steps for run in self.runs if run.began or run.records), default=0)
        return made if self.stopped_after is None else min(made, self.stopped_after)

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


def conclude(state: ArmState, outputs: Sequence[str] = ()) -> ArmOutcome:
    """The outcome of an arm from what is on disk; `outputs` are the patterns of the files to
    compare too, and `-` for standard output."""
    stopped_after = _stopped_after(state)
    steps = state.steps if stopped_after is None else stopped_after
    runs = tuple(run_outcome(run, state, steps) for run in state.arm.runs)
    completed = [run.planned.index for run in runs if run.completed]
    found = compared(state, outputs)
    steps_made = min((run.steps for run in runs), default=0)
    verdict = with_outputs(judge(state.comparisons, completed), found, steps_made)
    control = control_of(state)
    verdict = with_control(verdict, control)
    parting = state.comparisons[verdict.runs[1]] if verdict.runs else None
    first = state.traces[0]
    seen = compared_phases(*first.streams.values())
    return ArmOutcome(
        arm=state.arm,
        verdict=verdict,
        exit_status=_exit_status(verdict, runs, needs_recording=not outputs),
        distance=_distance(verdict.divergence, parting),
        runs=runs,
        hello=first.hello or {},
        frameworks={event["name"]: event["version"] for event in first.all("framework")},
        pinned=_pinned(first),
        phases=tuple(phase for phase in PHASES if phase in seen),
        metrics=spreads(run.metrics for run in runs) if len(completed) == len(runs) else {},
        notes=_notes(state),
        hints=tuple(parting.hints()) if parting else (),
        unseen=any(trace.all("unseen") for trace in state.traces.values()),
        stopped_after=stopped_after,
        planned=sum(event["steps"] for event in first.all("planned")) or None,
        control=control,
        outputs=found,
        view=state.view(0),
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


def _stopped_after(state: ArmState) -> int | None:
    """The least number of steps after which a run was ended on purpose."""
    given = (trace.stopped_after for trace in state.traces.values())
    return min((steps for steps in given if steps is not None), default=None)


def _pinned(trace: Trace) -> tuple[Mapping[str, Any], ...]:
    """What the pins did, once for all processes in which they did the same."""
    told: dict[Any, Mapping[str, Any]] = {}
    for event in trace.all("pinned"):
        did = (event["framework"], event["source"], *map(tuple, (event["set"], event["missed"])))
        told.setdefault(did, event)
    return tuple(told.values())


def _notes(state: ArmState) -> tuple[str, ...]:
    """What the recordings have to say to a person, each once."""
    said: dict[str, None] = {}
    for trace in state.traces.values():
        said.update((event["text"], None) for event in trace.all("note"))
        said.update((f"{event['text']} were not looked at", None) for event in trace.all("unseen"))
    for comparison in state.comparisons.values():
        said.update((note, None) for note in comparison.notes())
    return tuple(said)


def _distance(found: Divergence | None, parting: Comparison | None) -> Distance | None:
    """Of the array that parts first, where both runs have a stream of that process."""
    if found is None or parting is None or found.stream not in parting.streams:
        return None
    twins = parting.streams[found.stream]
    return distance_after(twins.reference, twins.other, found.name, found.step)


def _exit_status(verdict: Verdict, runs: Sequence[RunOutcome], needs_recording: bool = True) -> int:
    if any(run.end is not None and run.end.stopped == "timeout" for run in runs):
        return TIMEOUT
    if needs_recording and any(run.unseen for run in runs):
        return NOT_RECORDED
    if any(run.failed for run in runs):
        return SCRIPT_FAILED
    return _BY_VERDICT[verdict.name]
