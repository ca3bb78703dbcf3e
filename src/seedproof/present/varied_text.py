"""What was varied between the runs of an arm, and whether it reached them, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedproof.checking.run_outcome import RunOutcome, Varied
from seedproof.present.words import shown

_MOST_LINES = 12


def varied_lines(runs: Sequence[RunOutcome]) -> list[str]:
    """A line per run and source; where these would fill a screen, one per source (what each run met
    is in the JSON)."""
    told = [run for run in runs if run.steps or run.records]
    by_run = [line for run in told for line in _of_run(run)]
    return by_run if len(by_run) <= _MOST_LINES else list(_by_source(told))


def _of_run(run: RunOutcome) -> Iterator[str]:
    for name, varied in run.varied.items():
        unmet = "" if varied.reached else "; it did not reach the process: no evidence"
        yield (
            f"run {run.planned.index}: {name} varied to {varied.requested}, "
            f"effective {_effective(varied)}{unmet}"
        )


def _by_source(runs: Sequence[RunOutcome]) -> Iterator[str]:
    names = dict.fromkeys(name for run in runs for name in run.varied)
    for name in names:
        met = [run.varied[name] for run in runs if name in run.varied]
        requested = ", ".join(dict.fromkeys(str(one.requested) for one in met))
        yield f"{name} varied over {requested}: {_how(met)}"


def _how(met: Sequence[Varied]) -> str:
    unmet = sum(not one.reached for one in met)
    if unmet == len(met):
        return "it did not reach any process: no evidence"
    if unmet:
        return f"it did not reach {unmet} of {len(met)} processes: these are no evidence"
    if all(one.effective == one.requested for one in met):
        return "effective as asked"
    return f"effective {', '.join(dict.fromkeys(map(_effective, met)))}"


def _effective(varied: Varied) -> str:
    return "not told" if varied.effective is None else shown(str(varied.effective))
