"""A single run for the terminal: what was recorded, where it is, and what to type next."""

from __future__ import annotations

import shlex

from seedproof.checking.outcome import ArmOutcome
from seedproof.present import scope_words
from seedproof.present.arm_text import line_to_paste, not_pinned
from seedproof.present.words import RECORD_LINE, shown


def run_as_text(outcome: ArmOutcome, directory: str) -> str:
    """A few lines for standard error: standard output is the target's own."""
    (run,) = outcome.runs
    if not run.records:
        line = line_to_paste(outcome) or RECORD_LINE
        return f"recorded nothing; kept in {directory}\nnext: {line}\n"
    lines = [scope_words.compared(outcome, "recorded")]
    lines += [f"note: {shown(note, 300)}" for note in outcome.notes]
    lines += not_pinned(outcome)
    lines.append(f"kept in {directory}")
    lines.append(f"next: run it again, here or elsewhere, then: {_diff(directory)}")
    return "\n".join(lines) + "\n"


def _diff(directory: str) -> str:
    return shlex.join(["seedproof", "diff", directory]) + " OTHER_RUN"
