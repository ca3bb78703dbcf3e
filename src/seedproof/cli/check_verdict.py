"""The runs of a check, carried out, and what is said of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import conclude, overall_exit
from seedproof.checking.plan import Arm
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli.conducting import conducted
from seedproof.cli.options import Settings
from seedproof.cli.request import Request
from seedproof.present import check_json, check_text, failure_text, json_file, live
from seedproof.present.output import say
from seedproof.runner.local import LocalRunner


def verdict_on(
    request: Request,
    arms: Sequence[Arm],
    store: Store,
    settings: Settings,
    runner: LocalRunner,
    to_explain: Sequence[str],
) -> int:
    """Carries out the runs of all arms and prints the verdict; returns the exit status."""
    conductor = _conducted(request, arms, store, settings, runner)
    return _report(conductor, store, request, settings, to_explain)


def _conducted(
    request: Request, arms: Sequence[Arm], store: Store, settings: Settings, runner: LocalRunner
) -> Conductor:
    asked = request.asked
    with live.watcher(arms, store, plain=settings.show) as watcher:
        return conducted(
            arms,
            store,
            runner,
            watcher,
            jobs=1 if asked["in_place"] else asked["jobs"],
            timeout=asked["timeout"],
            keep_going=asked["keep_going"],
            show=settings.show,
        )


def _report(
    conductor: Conductor,
    store: Store,
    request: Request,
    settings: Settings,
    to_explain: Sequence[str],
) -> int:
    outputs = request.asked["outputs"] or ()
    outcomes = [conclude(state, outputs) for state in conductor.states.values()]
    result = check_json.check_as_json(request.command, outcomes)
    if settings.json == "-":
        json_file.write(result, "-")
    else:
        again = [*request.typed, *request.target]
        explained = [*to_explain, *request.target]
        said = check_text.check_as_text(again, outcomes, str(store.root), explained, request.target)
        say(said)
    for outcome in outcomes:
        for line in failure_text.failures_as_text(outcome, store):
            sys.stderr.write(f"seedproof: {line}\n")
    # Last, so that a full disk does not hide a verdict that took hours.
    store.write(RESULT_FILE, result)
    if settings.json not in (None, "-"):
        json_file.write(result, settings.json)
    return overall_exit(outcome.exit_status for outcome in outcomes)
