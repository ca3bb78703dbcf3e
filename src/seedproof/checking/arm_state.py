"""What is known of an arm while its runs go on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Protocol

from seedproof.checking.plan import Arm
from seedproof.compare.comparison import Comparison
from seedproof.inside.run_directory import TRACE_DIRECTORY
from seedproof.runner.base import VIEW_FILE, Exit
from seedproof.trace.reader import Trace

# Records reach the disk within a tenth of a second, those of one step not always in their order.
_LATE_RECORDS_SECONDS = 3.0


class Places(Protocol):
    """Where runs are kept."""

    def run(self, arm: str, index: int, /) -> Path:
        """The directory of a run."""


class ArmState:
    """What is known of an arm so far: its traces, its exits, its comparisons with run 0; `steps`
    is how far its runs are meant to go (None: to their ends). `places` says where runs are kept.

    The runs that are controls have traces and exits, but take no part in the comparisons.
    """

    def __init__(self, arm: Arm, places: Places) -> None:
        self.arm = arm
        self.places = places
        self.steps: int | None = next((run.launch.scope.get("steps") for run in arm.runs), None)
        self.traces: dict[int, Trace] = {
            run.index: Trace(places.run(arm.name, run.index) / TRACE_DIRECTORY)
            for run in (*arm.runs, *arm.controls)
        }
        self.begun: set[int] = set()
        self.exits: dict[int, Exit] = {}
        self.comparisons: dict[int, Comparison] = {
            run.index: Comparison(self.traces[0], self.traces[run.index], self.steps)
            for run in arm.runs[1:]
        }
        self.perturbed: dict[int, Comparison] = {
            run.index: Comparison(self.traces[0], self.traces[run.index], self.steps)
            for run in arm.controls
            if run.control == "perturbed"
        }
        self._read_to_the_end: set[int] = set()
        self._compared_to_the_end: set[int] = set()
        self._diverged_at: float | None = None

    def advance(self) -> None:
        """Reads what has been written since by the runs that have begun, and compares it."""
        for index in self.begun - self._read_to_the_end:
            ended = index in self.exits
            self.traces[index].refresh()
            self._read_to_the_end.update({index} if ended else ())
        if 0 not in self.begun:
            return
        for index in self.comparisons.keys() & self.begun - self._compared_to_the_end:
            comparison = self.comparisons[index]
            comparison.advance()
            if self._both_ended(index):
                self._compared_to_the_end.add(index)
        if all(comparison.first() is None for comparison in self.comparisons.values()):
            self._diverged_at = None  # what lies beyond the end of a shortened run is forgotten
        elif self._diverged_at is None:
            self._diverged_at = time.monotonic()

    def settled(self) -> bool:
        """Whether the arm has diverged, and where is known: nothing earlier can still follow, or
        it would have by now."""
        if self._diverged_at is None:
            return False
        late = time.monotonic() - self._diverged_at > _LATE_RECORDS_SECONDS
        return late or any(
            comparison.settled() or (comparison.first() is not None and self._both_ended(index))
            for index, comparison in self.comparisons.items()
        )

    def was_seen(self, index: int) -> bool:
        """Whether the recording has shown that this run was perturbed, so that it may end."""
        if index not in self.perturbed or 0 not in self.exits:
            return False
        self.perturbed[index].advance()
        return self.perturbed[index].first() is not None

    def view(self, index: int) -> dict[str, Any]:
        """How this run saw the working directory, as its runner wrote it down."""
        try:
            path = self.places.run(self.arm.name, index) / VIEW_FILE
            view: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return view

    def _both_ended(self, index: int) -> bool:
        return 0 in self.exits and index in self.exits
