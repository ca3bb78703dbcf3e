"""What the runs wrote, compared with what run 0 wrote: files, and standard output on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seedproof.checking.arm_state import ArmState
from seedproof.compare.divergence import Divergence
from seedproof.compare.files.comparison import compare_files, compare_stdout
from seedproof.compare.files.outcome import FileDifference, FilesOutcome
from seedproof.compare.verdict import Verdict
from seedproof.runner.base import FILES_DIRECTORY, STDOUT_FILE

STANDARD_OUTPUT = "-"
_NOTHING = FilesOutcome(files=0, bytes=0)


@dataclass(frozen=True)
class Outputs:
    """What run `run` wrote, against run 0; `unmet` says what kept it from being compared.

    Of standard output `stdout_bytes` agree until `stdout`, what differs first; both are None where
    it was not compared.
    """

    run: int
    files: FilesOutcome
    stdout: FileDifference | None = None
    stdout_bytes: int | None = None
    unmet: str = ""

    @property
    def differences(self) -> tuple[FileDifference, ...]:
        """All that differs, standard output last."""
        return (*self.files.differences, *((self.stdout,) if self.stdout else ()))


def compared(state: ArmState, asked: Sequence[str]) -> tuple[Outputs, ...]:
    """The outputs of every run after run 0 that came to its end; `asked` are the patterns of the
    files, and `-` for standard output."""
    ended = [index for index in state.comparisons if {0, index} <= state.exits.keys()]
    places = {at: state.places.run(state.arm.name, at) for at in (0, *ended)}
    return tuple(compare_outputs(places[0], places[at], asked, at) for at in ended if asked)


def compare_outputs(ours: Path, theirs: Path, asked: Sequence[str], run: int = 0) -> Outputs:
    """The outputs that were `asked` for of two runs, kept in these directories; `run` is the number
    of the second one."""
    patterns = [one for one in asked if one != STANDARD_OUTPUT]
    files = _NOTHING
    if patterns:
        files = compare_files(ours / FILES_DIRECTORY, theirs / FILES_DIRECTORY, patterns)
    stdout, agreeing, unmet = None, None, _unmet(files, patterns)
    if STANDARD_OUTPUT in asked:
        try:
            stdout, agreeing = compare_stdout(ours / STDOUT_FILE, theirs / STDOUT_FILE)
        except FileNotFoundError:
            unmet = unmet or "standard output was not kept"
    return Outputs(run, files, stdout, agreeing, unmet)


def _unmet(files: FilesOutcome, patterns: Sequence[str]) -> str:
    if patterns and files.nothing_matched:
        return f"no run wrote a file that is {' or '.join(patterns)}"
    if files.unmatched:
        return f"no run wrote a file that is {files.unmatched[0]}"
    if files.unread:
        return f"{files.unread[0].path} could not be compared ({files.unread[0].reason})"
    return ""


def with_outputs(verdict: Verdict, outputs: Sequence[Outputs], steps: int) -> Verdict:
    """The verdict on records and outputs together: the records come first, as they are made first;
    where there are none, the outputs alone can show that the runs are identical."""
    if verdict.name == "diverged" or not outputs:
        return verdict
    for one in outputs:
        for found in one.differences[:1]:
            return Verdict("diverged", divergence=_parting(found, steps), runs=(0, one.run))
    unmet = next((one.unmet for one in outputs if one.unmet), "")
    if unmet:
        return Verdict("unknown", unmet)
    return Verdict("identical") if verdict.nothing_recorded else verdict


def _parting(found: FileDifference, steps: int) -> Divergence:
    kind = found.kind if found.kind in ("missing", "extra") else "bits"
    return Divergence(steps - 1, "output", found.path, kind, table="")
