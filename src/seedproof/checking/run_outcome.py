"""What came out of one run, from what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedproof.checking.arm_state import ArmState
from seedproof.checking.plan import PlannedRun
from seedproof.compare.metrics import Folds, final_metrics
from seedproof.compare.ranks import RankAgreement, compare_ranks
from seedproof.compare.rows import count_records
from seedproof.compare.trace_digest import trace_digest
from seedproof.runner.base import Exit
from seedproof.sources import CATALOGUE
from seedproof.trace.reader import Trace
from seedproof.trace.stream import Stream

Event = Mapping[str, Any]
_CLOCKS = ("at", "clock", "cpu")  # the times of an event; `clock` is also a source


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
    """One run, as far as it came; `began` tells whether the recording did.

    `streams` are the roles of its processes that recorded something. Times are those of the
    process that trains, rank 0 where there are several.
    """

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
    streams: tuple[str, ...] = ()
    ranks: tuple[RankAgreement, ...] = ()

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


def run_outcome(run: PlannedRun, state: ArmState, steps: int | None) -> RunOutcome:
    """The outcome of a run of which the records before step `steps` count (None: all)."""
    trace = state.traces[run.index]
    trains = next(iter(trace.trainers.values()), trace.main)
    begins, ends = trains.all("training_begins"), trains.all("training_ends")
    hello = trains.hello
    return RunOutcome(
        planned=run,
        end=state.exits.get(run.index),
        began=trace.hello is not None,
        digest=trace_digest(trace, steps),
        records=sum(count_records(stream, steps) for stream in trace.streams.values()),
        steps=trace.watermark(),
        varied=_varied(run, trains),
        startup_seconds=_seconds(hello, begins[0]) if begins and hello else None,
        training_seconds=_sum_of_spans(begins, ends, _seconds),
        training_cpu_seconds=_sum_of_spans(begins, ends, _cpu_seconds),
        metrics=_metrics(trace),
        streams=tuple(trace.streams),
        ranks=compare_ranks(trace, steps),
    )


def _varied(run: PlannedRun, stream: Stream) -> dict[str, Varied]:
    offers = _done(stream.all("offered"))
    effective = {**offers, **_done(stream.all("pinned"))}
    for event in stream.all("effective"):
        effective.update({name: value for name, value in event.items() if name not in _CLOCKS})
    said = {**(stream.hello or {}), "offers": offers}
    return {
        name: Varied(value, CATALOGUE[name].offered(said), _number_if_one(effective.get(name)))
        for name, value in run.launch.varied.items()
    }


def _done(events: Iterable[Event]) -> dict[str, Any]:
    """The values that sources were really varied or pinned to."""
    return {one["source"]: one.get("value") for one in events if one["set"]}


def _metrics(trace: Trace) -> Mapping[str, Folds]:
    """Of the first process that has any: ranks compute their own, or all the same ones."""
    return next(filter(None, map(final_metrics, trace.streams.values())), {})


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
