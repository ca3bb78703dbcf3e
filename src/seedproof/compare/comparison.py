"""Compares two runs, each stream with its twin, while they go on or long after."""

from __future__ import annotations

from seedproof.compare import credibility
from seedproof.compare.completeness import incompleteness, is_cut_short, trace_incompleteness
from seedproof.compare.divergence import Divergence
from seedproof.compare.rows import count_records
from seedproof.compare.stream_comparison import StreamComparison, only_stream
from seedproof.trace.reader import Trace, role_order


class Comparison:
    """Of a reference run and another one, each read once. Rows at steps from `steps` on (None: no
    such) are ignored, and so is what lies beyond the step at which either was ended on purpose."""

    def __init__(self, reference: Trace, other: Trace, steps: int | None = None) -> None:
        self.reference = reference
        self.other = other
        self.steps = steps
        self.streams: dict[str, StreamComparison] = {}
        self._only_in_one: dict[str, Divergence] = {}

    @property
    def traces(self) -> tuple[Trace, Trace]:
        """Both runs."""
        return self.reference, self.other

    def advance(self) -> None:
        """Takes in what both have written since."""
        for trace in self.traces:
            trace.refresh()
        self._narrow()
        for role in self.reference.streams.keys() & self.other.streams.keys():
            self._twins(role).advance()

    def finish(self) -> None:
        """Both runs have come to their ends: what only one of them has is a divergence too, where
        the recording that lacks it is whole."""
        self.advance()
        for role in self._roles():
            if self._is_cut_short(role):
                continue
            if role in self.streams:
                self._compare_ends(self.streams[role])
            else:
                self._compare_with_none(role)

    # -- what was found ------------------------------------------------------------------------

    def divergences(self) -> list[Divergence]:
        """What proves that the runs part: the first of each table, in logical order; of the same
        step and phase, that of the stream whose role comes first."""
        return sorted(
            (found for found in self._found() if not self._doubt(found)), key=lambda one: one.order
        )

    def first(self) -> Divergence | None:
        """The earliest divergence seen so far."""
        return next(iter(self.divergences()), None)

    def doubt(self) -> str:
        """Why a difference that was found proves nothing, in one clause; empty where there is no
        such difference."""
        return next(filter(None, map(self._doubt, self._found())), "")

    def hints(self) -> list[Divergence]:
        """Where the states of random generators part, the earliest first."""
        twins = (self.streams[role] for role in self._roles() if role in self.streams)
        return sorted(
            (one for stream in twins for one in stream.hints()), key=lambda one: one.order
        )

    def notes(self) -> list[str]:
        """What to say of workers that were compared only as far as both go."""
        return [self._note(role) for role in self._roles() if self._is_partly_compared(role)]

    @property
    def rows_compared(self) -> int:
        """How many rows of both are the same."""
        return sum(stream.rows_compared for stream in self.streams.values())

    @property
    def words_compared(self) -> int:
        """How many records of both are the same."""
        return sum(stream.words_compared for stream in self.streams.values())

    def settled(self) -> bool:
        """Whether nothing that is still to be written by what trains can lie before `first`."""
        first = self.first()
        if first is None or any(trace.missing_rank() for trace in self.traces):
            return False
        roles = {first.stream}.union(*(trace.trainers for trace in self.traces))
        return all(
            role in self.streams and self.streams[role].settled(first.step) for role in roles
        )

    # -- stream by stream ----------------------------------------------------------------------

    def _roles(self) -> list[str]:
        """The roles that either run has, in their order."""
        roles = set().union(*(trace.streams for trace in self.traces))
        return sorted(roles, key=role_order)

    def _twins(self, role: str) -> StreamComparison:
        if role not in self.streams:
            ours, theirs = (trace.streams[role] for trace in self.traces)
            self.streams[role] = StreamComparison(role, ours, theirs, self.steps)
        return self.streams[role]

    def _narrow(self) -> None:
        """To the steps that both runs were meant to make; what was found beyond is forgotten."""
        given = (self.steps, *(trace.stopped_after for trace in self.traces))
        steps = min((step for step in given if step is not None), default=None)
        if steps is not None and steps != self.steps:
            self.steps = steps
            if any(found.step >= steps for found in self._found()):
                self.streams = {}

    def _compare_ends(self, stream: StreamComparison) -> None:
        twins = (stream.reference, stream.other)
        if not any(incompleteness(twin, self.steps) for twin in twins):
            stream.finish(self.steps)

    def _compare_with_none(self, role: str) -> None:
        there = role in self.reference.streams
        trace, lacking = self.traces if there else reversed(self.traces)
        stream = trace.streams[role]
        if not incompleteness(stream, self.steps) and not trace_incompleteness(lacking, self.steps):
            found = only_stream(role, stream, "missing" if there else "extra", self.steps)
            self._only_in_one.update({role: found} if found else {})

    def _found(self) -> list[Divergence]:
        """In the order of roles."""
        found = []
        for role in self._roles():
            if role in self.streams:
                found += self.streams[role].divergences()
            elif role in self._only_in_one:
                found.append(self._only_in_one[role])
        return found

    def _doubt(self, found: Divergence) -> str:
        return credibility.doubt(found, self.reference, self.other, self.steps)

    # -- workers that were ended from outside --------------------------------------------------

    def _is_cut_short(self, role: str) -> bool:
        return any(role in trace.streams and is_cut_short(trace, role) for trace in self.traces)

    def _is_partly_compared(self, role: str) -> bool:
        if not self._is_cut_short(role):
            return False
        streams = [trace.streams[role] for trace in self.traces if role in trace.streams]
        recorded = max(count_records(stream, self.steps) for stream in streams)
        return recorded > self._equal_records(role)

    def _note(self, role: str) -> str:
        return (
            f"{role} was ended from outside, which is not always at the same record: "
            f"{self._equal_records(role)} records of it were compared"
        )

    def _equal_records(self, role: str) -> int:
        return self.streams[role].words_compared if role in self.streams else 0
