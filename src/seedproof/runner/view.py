"""How the runs of a check get private views of the working directory.

Decided before the first one starts, by trying out what this machine allows.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedproof.errors import UsageError
from seedproof.runner.private import probe
from seedproof.runner.private.scratch import new_name, sweep
from seedproof.runner.ways import NAMESPACES, Namespace, ViewPlan, Ways

_PROBE_SECONDS = 120.0


def how_to_view(
    directory: Path, runs: Path, namespaces: Sequence[Namespace] = NAMESPACES
) -> ViewPlan:
    """How runs whose own directories are somewhere in `runs` get a private view of `directory`.

    `runs` exists and holds nothing else that matters. What the views of killed runs have left is
    cleared away first. Raises UsageError, which names --in-place, where there is no way.
    """
    return looking_for_view(directory, runs, namespaces)()


def looking_for_view(
    directory: Path, runs: Path, namespaces: Sequence[Namespace] = NAMESPACES
) -> Callable[[], ViewPlan]:
    """The same, begun: a process tries what this machine allows until the answer is asked for."""
    directory, runs = directory.resolve(), runs.resolve()
    if directory == directory.parent or not os.access(directory, os.R_OK | os.X_OK):
        raise _impossible(directory, "nothing can be laid over it")
    if directory == runs:
        raise _impossible(directory, "the runs themselves are kept in it")
    ways = Ways(directory, runs, namespaces if sys.platform == "linux" else ())
    for place in ways.places:
        sweep(str(place))
    first = ways.at_once()
    trial = _Trial(first, runs=ways.runs, copying=ways.copying)
    return lambda: _best(ways, first, trial.answer())


@dataclass(frozen=True)
class _Answer:
    """What the probe tells; see there."""

    works: int | None
    errors: list[str]
    shares_blocks: bool


def _best(ways: Ways, first: Sequence[ViewPlan], answer: _Answer) -> ViewPlan:
    """The first way that works; only where no overlay does, all of the directory is looked at."""
    if answer.works is not None:
        return first[answer.works]
    others = ways.after_a_survey(answer.shares_blocks)
    last = _Trial(others, runs=ways.runs).answer()
    if last.works is not None:
        return others[last.works]
    reasons = dict.fromkeys([*last.errors, *ways.too_large(answer.shares_blocks)])
    raise _impossible(ways.directory, "; ".join(reasons))


class _Trial:
    """Plans that are tried in a process of its own."""

    def __init__(
        self, plans: Sequence[ViewPlan], *, runs: Path, copying: tuple[Path, Path] | None = None
    ) -> None:
        orders = [
            {"run": str(runs), "view": {**one.to_json(), "name": new_name()}} for one in plans
        ]
        paths = copying and [str(path) for path in copying]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", probe.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as question:
            json.dump({"orders": orders, "copying": paths}, question)
        self._process.stdin = None  # as `communicate` wants it

    def answer(self) -> _Answer:
        """What came of it."""
        try:
            found, _ = self._process.communicate(timeout=_PROBE_SECONDS)
        finally:
            self._process.kill()
        return _Answer(**json.loads(found))


def _impossible(directory: Path, reason: str) -> UsageError:
    return UsageError(
        f"{directory}: no run can have a private view of it ({reason}); let the runs work in it, "
        "one after the other: --in-place"
    )
