"""How the runs of a check get private views of the working directory.

Decided before the first one starts, by trying out what this machine allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
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
    directory, runs = directory.resolve(), runs.resolve()
    if directory == directory.parent or not os.access(directory, os.R_OK | os.X_OK):
        raise _impossible(directory, "nothing can be laid over it")
    if directory == runs:
        raise _impossible(directory, "the runs themselves are kept in it")
    ways = Ways(directory, runs, namespaces if sys.platform == "linux" else ())
    for place in ways.places:
        sweep(str(place))
    return _best(ways)


@dataclass(frozen=True)
class _Answer:
    """What the probe tells; see there."""

    works: int | None
    errors: list[str]
    shares_blocks: bool


def _best(ways: Ways) -> ViewPlan:
    """The first way that works; only where no overlay does, all of the directory is looked at."""
    first = ways.at_once()
    answer = _try(first, runs=ways.runs, copying=ways.copying)
    if answer.works is not None:
        return first[answer.works]
    others = ways.after_a_survey(answer.shares_blocks)
    last = _try(others, runs=ways.runs)
    if last.works is not None:
        return others[last.works]
    reasons = dict.fromkeys([*last.errors, *ways.too_large(answer.shares_blocks)])
    raise _impossible(ways.directory, "; ".join(reasons))


def _try(
    plans: Sequence[ViewPlan], *, runs: Path, copying: tuple[Path, Path] | None = None
) -> _Answer:
    orders = [{"run": str(runs), "view": {**plan.to_json(), "name": new_name()}} for plan in plans]
    question = {"orders": orders, "copying": copying and [str(path) for path in copying]}
    done = subprocess.run(
        [sys.executable, "-I", "-S", probe.__file__],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=_PROBE_SECONDS,
    )
    return _Answer(**json.loads(done.stdout))


def _impossible(directory: Path, reason: str) -> UsageError:
    return UsageError(
        f"{directory}: no run can have a private view of it ({reason}); let the runs work in it, "
        "one after the other: --in-place"
    )
