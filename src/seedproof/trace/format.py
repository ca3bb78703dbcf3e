"""The trace on disk, shared by the process that writes it and the one that reads it.

A trace is a directory with one directory per stream, named by the role of its process: `main` is
the run's first Python process, `rankN` one that a launcher gave that rank, and below them stand
those of their children (`main/worker1`). A directory that has an `events.jsonl` is a stream. In it:

- `events.jsonl`: one JSON object a line; the names of everything, once. The first is `hello`.
- `N.rows`: table N, fixed-width rows in the order of their steps: the step as a little-endian
  int64, then one 64-bit word per column (a digest, or the bits of a double).
- `values.bin`: raw arrays that were kept; the event `value` says where each one lies.
- `watermark`: eight bytes, the number of steps whose updates have been written. What is still to
  come belongs to the last of them (an evaluation after it, say) or to a later one.

Everything is only ever appended (the watermark is overwritten in place), so a run that was killed
leaves a trace that is readable up to its last whole row.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Sequence

SCHEMA = "seedproof.trace/1"
MAIN_STREAM = "main"

# Within a step records are ordered by what depends on what, never by when they were computed.
PHASES = ("init", "data", "forward", "loss", "backward", "update", "metric", "output")

# The step of a record made before the first update.
BEFORE_TRAINING = -1

EVENTS_FILE = "events.jsonl"
VALUES_FILE = "values.bin"
WATERMARK_FILE = "watermark"
OTHERS_FILE = "others"  # beside the streams: processes that used a framework and have none
WATERMARK = struct.Struct("<q")

WORD_BYTES = 8

DIGEST = "digest"
FARM_DIGEST = "farm64/1"
VALUE = "value"
KINDS = (DIGEST, FARM_DIGEST, VALUE)

# Tables by the beginning of their keys: states of random generators, which are told beside the
# verdict; and the weights at the end, which a run that recorded nothing else has too.
HINT = "hint/"
FINAL = "output/final/"
OPERATIONS = HINT + "operations"  # of a step that was looked at closely


def rows_file(number: int) -> str:
    """The file that holds the rows of table `number`."""
    return f"{number}.rows"


def row_struct(columns: int) -> struct.Struct:
    """A row: the step (signed), then `columns` unsigned 64-bit words."""
    return struct.Struct(f"<q{columns}Q")


class Column(NamedTuple):
    """One column of a table: what is recorded, in which phase of a step, and of which kind.

    `kind` is `digest` (the one that the stream's `hello` names, see `seedproof.trace.digest`),
    `farm64/1` (another digest, see `seedproof.frameworks.tensorflow.graph`) or `value` (the bits of
    a double). `dtype` and `shape` describe the array as first met; they are part of each digest
    too. `fold` numbers the repetition of a metric, as in a cross-validation.
    """

    phase: str
    name: str
    kind: str = DIGEST
    dtype: str = ""
    shape: tuple[int | None, ...] | None = None
    fold: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The column as it stands in the event `table`."""
        optional = {"dtype": self.dtype, "shape": self.shape, "fold": self.fold}
        given = {key: value for key, value in optional.items() if value not in (None, "")}
        return {"phase": self.phase, "name": self.name, "kind": self.kind, **given}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Column:
        """The column back from an event that was found to be whole."""
        shape = fields.get("shape")
        return cls(
            phase=fields["phase"],
            name=fields["name"],
            kind=fields.get("kind", DIGEST),
            dtype=fields.get("dtype", ""),
            shape=None if shape is None else tuple(shape),
            fold=fields.get("fold"),
        )


def layout(columns: Sequence[Column]) -> tuple[tuple[str, str, str], ...]:
    """What two tables must share for their rows to be comparable word by word."""
    return tuple((column.phase, column.name, column.kind) for column in columns)
