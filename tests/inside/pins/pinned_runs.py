"""Scripts in recorded processes of their own, pinned and varied as asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedproof.trace.reader import Trace
from traces import run_recorded


@dataclass(frozen=True)
class Ran:
    """What a script printed, line by line, and its trace."""

    lines: list[str]
    trace: Trace

    def uses(self, source: str) -> list[tuple[str, int]]:
        """Where it was seen to use a source."""
        found = [one for one in self.trace.all("used") if one["source"] == source]
        return [(Path(one["file"]).name, one["line"]) for one in found]

    def missed(self) -> list[str]:
        """What could not be pinned or varied."""
        events = self.trace.all("pinned") + self.trace.all("offered")
        return [line for event in events for line in event["missed"]]


def run(
    place: Path, script: str, *flags: str, interpreter: str = sys.executable, **launch: Any
) -> Ran:
    """Runs a script in the directory `place`; `flags` are the interpreter's."""
    directory = place / f"run{len(list(place.glob('run*')))}"
    (place / "train.py").write_text(script)
    done = run_recorded(directory, [interpreter, *flags, "train.py"], launch)
    assert done.returncode == 0, done.stderr
    trace = Trace(directory / "trace")
    trace.refresh()
    assert trace.all("trouble") == []
    return Ran(done.stdout.splitlines(), trace)


def repeats(place: Path, script: str, *flags: str, **launch: Any) -> bool:
    """Whether two runs print the same."""
    return run(place, script, *flags, **launch).lines == run(place, script, *flags, **launch).lines


INSTALLED = "import sys; sys.path.insert(0, 'site-packages'); import installed\n"


def install(place: Path, text: str) -> None:
    """Makes `installed` a library, which a script that begins with INSTALLED imports."""
    directory = place / "site-packages"
    directory.mkdir(exist_ok=True)
    (directory / "installed.py").write_text(text)
