"""What is to be said of one arm on a terminal, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedproof.checking.outcome import ArmOutcome
from seedproof.compare.evidence import evidence_sentence
from seedproof.compare.ranks import RankAgreement
from seedproof.present import scope_words
from seedproof.present.files_text import difference_as_text
from seedproof.present.varied_text import varied_lines
from seedproof.present.words import INIT_LINE, RECORD_LINE, SHARED_DIRECTORY, apart, shown, where

_MOST_FILES = 5


def arm_lines(arm: ArmOutcome) -> list[str]:
    """The verdict, and below it all that belongs to it."""
    verdict = f"{arm.arm.name}: {arm.verdict.name.upper()}{_extent(arm)}{_because(arm)}"
    return [verdict, *(f"  {line}" for line in _details(arm))]


def line_to_paste(arm: ArmOutcome) -> str:
    """What the script needs so that more of it is recorded; empty where that is not lacking."""
    if arm.verdict.name != "unknown":
        return ""
    if any(run.unseen for run in arm.runs):
        return INIT_LINE
    return RECORD_LINE if arm.verdict.nothing_recorded or arm.unseen else ""


def _details(arm: ArmOutcome) -> Iterator[str]:
    if arm.verdict.name == "diverged":
        yield from _parting(arm)
    if arm.verdict.name == "identical":
        yield _evidence(arm.starts)
        for name in arm.unmet:
            yield f"{name} was varied in vain: nothing is shown about it"
    yield scope_words.compared(arm)
    yield from filter(None, [scope_words.observed(arm), *_not_reached(arm), *_ranks(arm)])
    yield from _outputs(arm)
    yield from _control(arm)
    yield from (f"note: {shown(note, 300)}" for note in (*arm.notes, *_view(arm)))
    yield from varied_lines(arm.runs)
    yield from not_pinned(arm)


def not_pinned(arm: ArmOutcome) -> list[str]:
    """What pins could no longer reach, each with the way that works."""
    missed = [line for event in arm.pinned for line in event["missed"]]
    return [f"not pinned: {shown(line, 300)}" for line in missed]


def _extent(arm: ArmOutcome) -> str:
    return scope_words.extent(arm) if arm.verdict.name == "identical" else ""


def _because(arm: ArmOutcome) -> str:
    return f" ({shown(arm.verdict.reason, 300)})" if arm.verdict.reason else ""


def _parting(arm: ArmOutcome) -> Iterator[str]:
    assert arm.verdict.divergence is not None
    assert arm.verdict.runs is not None
    a, b = arm.verdict.runs
    yield f"runs {a} and {b} part: {where(arm.verdict.divergence, b)}"
    if arm.distance is not None:
        yield apart(arm.distance)
    for hint in arm.hints[:_MOST_FILES]:
        name = hint.table.partition("/")[2].partition("#")[0]
        yield f"hint: the state of the generator {shown(name)} differs {_since(hint.step)}"
    if arm.arm.runs[0].launch.view == "shared" and arm.arm.runs[0].launch.command:
        yield SHARED_DIRECTORY


def _since(step: int) -> str:
    return "from the start on" if step < 0 else f"from step {step} on"


def _evidence(starts: Sequence[int]) -> str:
    if len(starts) == 1:
        return evidence_sentence(starts[0])
    if max(starts) == 1:
        return f"Each of the {len(starts)} starts was met once: this says nothing about chance."
    least, most = min(starts), max(starts)
    times = f"{most} times" if least == most else f"{least} to {most} times"
    return f"Each of the {len(starts)} starts was met {times}: this says little about chance."


def _not_reached(arm: ArmOutcome) -> list[str]:
    rest = scope_words.not_reached(arm) if arm.stopped_after is not None else []
    return [f"not reached: {', '.join(rest)}"] if rest else []


def _ranks(arm: ArmOutcome) -> list[str]:
    """Ranks held against each other, within run 0."""
    ranks = arm.runs[0].ranks if arm.runs else ()
    if ranks and all(one.equal for one in ranks):
        return [f"the {len(ranks) + 1} ranks have equal weights after every update"]
    return [line for line in map(_rank, ranks) if line]


def _rank(one: RankAgreement) -> str:
    if one.equal is None:
        return f"rank {one.rank} cannot be held against rank 0: {shown(one.reason, 200)}"
    if one.equal:
        return ""
    return f"rank {one.rank} has other weights than rank 0 from step {one.step} on: " + shown(
        one.name or "", 200
    )


def _outputs(arm: ArmOutcome) -> Iterator[str]:
    if not arm.outputs:
        return
    files = max(one.files.files for one in arm.outputs)
    size = max(one.files.bytes for one in arm.outputs)
    if files:
        yield f"outputs: {files} file{'s' * (files != 1)} compared, {size:,} bytes"
    printed = [one.stdout_bytes for one in arm.outputs if one.stdout_bytes is not None]
    if printed:
        yield f"outputs: standard output compared, {max(printed):,} bytes"
    for one in arm.outputs:
        if one.unmet:
            yield f"outputs: {shown(one.unmet, 300)}"
        for found in one.differences[:_MOST_FILES]:
            yield f"run {one.run} against run 0, {difference_as_text(found, one.run)}"


def _control(arm: ArmOutcome) -> Iterator[str]:
    if arm.control is None:
        return
    yield {
        True: "control: a run with one bit flipped was told from the others",
        False: "control: a run with one bit flipped was NOT told from the others",
        None: "control: no bit could be flipped here, so it is not shown that one would be seen",
    }[arm.control.seen]
    yield {
        True: "control: a run recorded only at its end came to the same weights",
        False: "control: a run recorded only at its end came to OTHER weights",
        None: "control: no final weights to show that recording changes nothing",
    }[arm.control.neutral]


def _view(arm: ArmOutcome) -> list[str]:
    """What a person must know of the private views, where it can have made a difference."""
    notes = [str(note) for note in arm.view.get("notes") or ()]
    moved = arm.view.get("way") == "copy" and arm.view.get("namespace") is None
    failed = any(run.failed for run in arm.runs)
    return notes if moved or failed else []
