"""An explanation for the terminal: verdict, where, why, proof, fix, how to confirm."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from seedproof.present.arm_text import line_to_paste
from seedproof.present.words import apart, shown, where
from seedproof.search.explanation import Cause, Explanation, Operation
from seedproof.sources import CATALOGUE
from seedproof.sources.uses import in_words

_WIDTH = 96


def explanation_as_text(typed: Sequence[str], found: Explanation, directory: Path) -> str:
    """The whole answer; `typed` are the user's options and their target."""
    lines = [*_verdict(found), *_causes(typed, found), "", _runs(found), f"kept in {directory}"]
    return "\n".join(lines) + "\n"


def _verdict(found: Explanation) -> Iterator[str]:
    outcome = found.outcome
    reason = f" ({shown(outcome.verdict.reason, 300)})" if outcome.verdict.reason else ""
    yield f"{outcome.verdict.name.upper()}{reason}"
    if outcome.verdict.divergence is not None and outcome.verdict.runs is not None:
        yield f"where: {where(outcome.verdict.divergence, outcome.verdict.runs[1])}"
    if found.moves:
        yield f"       {found.moves}"
    if outcome.distance is not None:
        yield f"       {apart(outcome.distance)}"
    if found.operation is not None:
        yield f"       {_operation(found.operation)}"
    if found.unnamed:
        yield f"       no operation is named: {found.unnamed}"
    if line := line_to_paste(outcome):
        yield f"next: {line}"


def _operation(first: Operation) -> str:
    place = "" if first.place is None else f", {_name(first.place.file)}:{first.place.line}"
    place += " (a hint: evaluated beside the compiled program)" if first.hint else ""
    if first.outputs_alone:
        return f"first operation with equal inputs and other outputs: {shown(first.name)}{place}"
    return f"what differs comes in before the operation {shown(first.name)}{place}"


def _causes(typed: Sequence[str], found: Explanation) -> Iterator[str]:
    for cause in found.causes:
        yield ""
        yield from _cause(typed, cause)
    if found.hidden:
        yield ""
        others = ", ".join(found.hidden)
        told = (
            f"not told apart from it: {others}, which change variables too; mend it and ask again"
        )
        yield from _wrapped(told, indent=0)
    if found.remains:
        yield ""
        yield f"why: not known; {shown(found.remains, 300)}"
    elif not found.causes and found.outcome.verdict.name == "identical":
        yield "no cause was found: nothing that was varied parts the runs"


def _cause(typed: Sequence[str], cause: Cause) -> Iterator[str]:
    sources = [CATALOGUE[name] for name in cause.sources]
    yield f"why: {' together with '.join(cause.sources)} ({cause.status})"
    for source in sources:
        yield from _wrapped(f"{source.summary}. {source.explanation}")
    yield from (f"     {shown(in_words(asdict(use)))}" for use in cause.lines)
    how = "varied" if cause.varied else "unpinned"
    held = cause.pinned.runs - cause.pinned.parted
    yield (
        f"proof: {how}: {cause.unpinned.parted} of {cause.unpinned.runs} diverged; "
        f"pinned: {held} of {cause.pinned.runs} identical"
    )
    for source in sources:
        first, *rest = _wrapped(f"fix: {source.fix}", indent=5)
        yield from (first.strip(), *rest)
    yield f"to confirm: {shown(shlex.join(_confirming(typed, cause)), 1000)}"


def _confirming(typed: Sequence[str], cause: Cause) -> list[str]:
    """The command that must say identical: with the cause pinned, and varied if it has to be."""
    vary = [word for name in cause.sources for word in ("--vary", name)] if cause.varied else []
    pins = [word for name in cause.sources for word in ("--pin", name)]
    return ["seedproof", "check", *pins, *vary, *typed]


def _runs(found: Explanation) -> str:
    return f"{found.runs} runs were made"


def _name(file: str) -> str:
    return shown(Path(file).name)


def _wrapped(text: str, indent: int = 5) -> list[str]:
    prefix = " " * indent
    return textwrap.wrap(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix)
