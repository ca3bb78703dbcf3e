"""What `seedproof diff` does, once its command line is taken apart."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from seedproof.checking import recorded
from seedproof.checking.arm_state import ArmState
from seedproof.checking.outcome import conclude
from seedproof.checking.plan import Arm, PlannedRun
from seedproof.checking.recorded import RecordedRun
from seedproof.cli.options import Settings
from seedproof.compare.environments import Difference, environment_differences
from seedproof.compare.growth import growth
from seedproof.errors import UsageError
from seedproof.launch import Launch
from seedproof.present import diff_json, diff_text, json_file
from seedproof.present.output import say
from seedproof.runner.base import Exit

_ARM = "diff"
_NEVER_BEGUN = Exit(None, 0.0, 0.0, trouble="it was not seen to end")
_ENDED = Exit(0, 0.0, 0.0)


def run(settings: Settings, paths: Sequence[str]) -> int:
    """Compares the runs and prints the verdict; returns the exit status."""
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    if len(paths) < 2:
        raise UsageError(
            f"diff: found {len(paths) or 'no'} run{'s' * (len(paths) != 1)}, and two are compared; "
            "type: seedproof diff RUN_A RUN_B"
        )
    runs = [recorded.find(path) for path in paths]
    state = _state(runs)
    outcome = conclude(state, settings.outputs or ())
    first, *others = (state.traces[index] for index in range(len(runs)))
    surroundings = [
        [*_commands(runs[0], run), *environment_differences(first, other)]
        for run, other in zip(runs[1:], others, strict=True)
    ]
    parting = outcome.verdict.runs or (0, 1)
    grown = list(growth(first, state.traces[parting[1]]))
    if settings.json != "-":
        say(diff_text.diff_as_text(paths, outcome, surroundings, grown, runs[0].target))
    if settings.json is not None:
        result = diff_json.diff_as_json(paths, outcome, surroundings, grown)
        json_file.write(result, settings.json)
    return outcome.exit_status


def _commands(first: RecordedRun, other: RecordedRun) -> list[Difference]:
    """The two commands, where both are known and differ."""
    ours, theirs = (shlex.join(run.target) for run in (first, other))
    return [Difference("command", ours, theirs)] if ours and theirs and ours != theirs else []


class _Places:
    """The runs where they were found."""

    def __init__(self, runs: Sequence[RecordedRun]) -> None:
        self._runs = runs

    def run(self, _arm: str, index: int) -> Path:
        """The directory of a run."""
        return self._runs[index].directory


def _state(runs: Sequence[RecordedRun]) -> ArmState:
    planned = tuple(PlannedRun(_ARM, at, Launch((), ""), 1) for at in range(len(runs)))
    state = ArmState(Arm(_ARM, "recorded", {}, planned), _Places(runs))
    state.begun = set(range(len(runs)))
    for index in state.begun:
        state.traces[index].refresh()
        ended = _ENDED if state.traces[index].ended else _NEVER_BEGUN
        state.exits[index] = runs[index].end or ended
    state.advance()
    return state
