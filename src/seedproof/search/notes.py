"""What the script's own files were seen to use, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedproof.search.explanation import Use
from seedproof.search.trials import Trial
from seedproof.sources import uses


def used(trial: Trial) -> set[str]:
    """The sources that were used."""
    return {event["source"] for trace in trial.state.traces.values() for event in trace.all("used")}


def lines(trials: Sequence[Trial], sources: Sequence[str]) -> tuple[Use, ...]:
    """Where they were used so that it can matter; a view under another path has the same files."""
    found = {
        (Path(event["file"]).name, event["line"]): Use(
            event["file"], event["line"], event["source"]
        )
        for trial in trials
        for trace in trial.state.traces.values()
        for event in trace.all("used")
        if event["source"] in sources and uses.matters(event, _text(event["file"]))
    }
    return tuple(found.values())


def _text(file: str) -> str:
    """What stands in a file of the script's, empty where it is not to be had any more."""
    try:
        return Path(file).read_text("utf-8")
    except (OSError, ValueError):
        return ""
