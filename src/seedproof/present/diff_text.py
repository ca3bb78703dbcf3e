"""Recorded runs compared, for the terminal: the verdict, how the difference grows, and where the
surroundings differ."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from seedproof.checking.outcome import ArmOutcome
from seedproof.compare.environments import Difference
from seedproof.compare.growth import Apart, Growth, by_step
from seedproof.present.arm_text import arm_lines
from seedproof.present.words import shown

_MOST_TENSORS = 12
_MOST_FACTS = 20
_NEXT = {
    "diverged": ("seedproof", "explain"),
    "identical": ("seedproof", "check"),
    "unknown": ("seedproof", "run"),
}


def diff_as_text(
    paths: Sequence[str],
    outcome: ArmOutcome,
    surroundings: Sequence[Sequence[Difference]],
    grown: Sequence[Growth],
    target: Sequence[str] = (),
) -> str:
    """The whole answer; `surroundings` is what differs between run 0 and each other one, `grown`
    how far apart the values are that the two runs kept which part, `target` what run 0 ran."""
    lines = [f"run {number}: {shown(path, 300)}" for number, path in enumerate(paths)]
    lines += arm_lines(outcome)
    if outcome.verdict.name == "diverged":
        lines += ["", *_growth(grown)]
    for number, differences in enumerate(surroundings, 1):
        lines += _surroundings(number, differences)
    if target:
        lines += ["", f"next: {shown(shlex.join([*_NEXT[outcome.verdict.name], *target]), 1000)}"]
    return "\n".join(lines) + "\n"


def _growth(grown: Sequence[Growth]) -> Iterator[str]:
    """Step by step, then tensor by tensor at the last step that was kept."""
    if not grown:
        yield "how the difference grows is not known: the runs kept no values of the same arrays"
        return
    yield "how the difference grows, over the values that both runs kept:"
    steps = _telling(list(by_step(grown)))
    yield from _table("step", ((_step(at), parts) for at, parts in steps))
    last = grown[-1].step
    differing = [one for one in grown if one.step == last and one.apart.differing]
    if differing:
        yield ""
        yield f"at {_step(last)}, tensor by tensor:"
        widest = sorted(differing, key=lambda one: -one.apart.share)
        yield from _table("tensor", ((one.name, one.apart) for one in widest[:_MOST_TENSORS]))
        if len(widest) > _MOST_TENSORS:
            yield f"  … and {len(widest) - _MOST_TENSORS} more"


def _telling(steps: Sequence[tuple[int, Apart]]) -> list[tuple[int, Apart]]:
    """The last step at which all was equal, and from there on ever fewer, with the last."""
    first = next((at for at, (_, parts) in enumerate(steps) if parts.differing), len(steps) - 1)
    after = [first + (1 << power) - 1 for power in range(20)]
    chosen = {max(0, first - 1), *after, len(steps) - 1}
    return [one for at, one in enumerate(steps) if at in chosen]


def _step(step: int) -> str:
    return "start" if step < 0 else f"step {step:,}"


def _table(heading: str, rows: Iterable[tuple[str, Apart]]) -> Iterator[str]:
    cells = [(heading, "max abs", "max ULP", "share")]
    cells += [(shown(name, 48), *_distances(apart)) for name, apart in rows]
    first, *widths = (max(map(len, column)) for column in zip(*cells, strict=True))
    for name, *numbers in cells:
        aligned = (f"{text:>{width + 3}}" for text, width in zip(numbers, widths, strict=True))
        yield f"  {name:<{first}}{''.join(aligned)}"


def _distances(apart: Apart) -> tuple[str, str, str]:
    units = "" if apart.max_ulp is None else f"{apart.max_ulp:,}"
    return f"{apart.max_abs_diff:.3g}", units, f"{100 * apart.share:.3g}%"


def _surroundings(number: int, differences: Sequence[Difference]) -> Iterator[str]:
    yield ""
    if not differences:
        yield f"surroundings of runs 0 and {number}: the same"
        return
    yield f"surroundings of runs 0 and {number}, what differs:"
    for one in differences[:_MOST_FACTS]:
        ours, theirs = (shown(side or "not there", 80) for side in (one.reference, one.other))
        yield f"  {shown(one.name)}: {ours} against {theirs}"
    if len(differences) > _MOST_FACTS:
        yield f"  … and {len(differences) - _MOST_FACTS} more"
