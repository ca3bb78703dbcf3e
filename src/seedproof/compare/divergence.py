"""The first record, in logical order, at which two traces part, and what counts as parting.

Two records are the same if they stand in the same stream and table, at the same step, phase and
name, with the same bits. What a difference means:

| what differs | meaning |
|---|---|
| one bit of an array or of a metric; -0.0 for 0.0; NaN with another payload | `bits` |
| NaN with the same payload | no difference: the bits are the same |
| another dtype or shape, whatever the values | `shape` |
| a tensor under another name, in another phase or place of its table | `layout` |
| a record that only one has, in between or at the end | `missing` or `extra` |
| a stream that only one has | `missing` or `extra`, at its first record |
| the same where the recording of the other has a gap, had trouble, could not look at all that \
trained, or is of another version | nothing: `unknown` |
| ranks that are fewer than their launcher started | `unknown` |
| a stream of processes, or of threads that train, which cannot be told apart | `unknown`, \
unless it is the same |
| a worker that trains nothing and was ended from outside, or with the run | compared as far as \
both go; how far each came is chance, and a note says so |
| a state of a random generator | a hint beside the verdict, never a part of it |
| a row at or beyond the step at which the runs were to end | nothing: it is out of scope |
| digests of two kinds, schemas, or recordings of every step and of the end alone | `unknown` |
"""

from __future__ import annotations

from dataclasses import dataclass

from seedproof.trace.format import BEFORE_TRAINING, MAIN_STREAM, PHASES


@dataclass(frozen=True)
class Divergence:
    """Where two traces part.

    `kind` is `bits` (the same record with other bits), `shape` (another dtype or shape),
    `missing` or `extra` (a record that the second trace lacks, or has beyond the first), or
    `layout` (other names). `values` are the two metric values where the record is a metric.
    `stream` is the role of the process that recorded it.
    """

    step: int
    phase: str
    name: str
    kind: str
    table: str
    optimizer: int | None = None
    values: tuple[float, float] | None = None
    stream: str = MAIN_STREAM

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the logical order: the step, then the phase."""
        return self.step, PHASES.index(self.phase)

    @property
    def before_training(self) -> bool:
        """Whether it lies before the first update of the process."""
        return self.step == BEFORE_TRAINING
