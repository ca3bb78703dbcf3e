"""What `seedproof run` does, once its command line is taken apart."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seedproof.checking.outcome import IDENTICAL, UNKNOWN, ArmOutcome, conclude
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli import options
from seedproof.cli.conducting import announce, conducted, runner_of
from seedproof.cli.options import Option
from seedproof.cli.request import Request, refuse_several_policies
from seedproof.errors import INTERRUPTED
from seedproof.inside.kept_runs import RUNS
from seedproof.present import failure_text, json_file, run_json, run_text

_VERB = "run"


def run(declared: Sequence[Option], arguments: Namespace, words: list[str]) -> int:
    """Carries it out and says where it is kept; returns the exit status."""
    settings = options.resolve(declared, arguments)
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    refuse_several_policies(settings, "a run has one policy, since several are arms of a check")
    request = Request.new(_VERB, settings, words, [])
    (arm,) = request.arms()
    store = Store.create(Path(settings.dir), request.to_json(), RUNS)
    announce(shlex.join(request.command), [arm])
    try:
        conductor = conducted(
            [arm],
            store,
            runner_of([arm], store),
            Silent(),
            jobs=1,
            timeout=settings.timeout,
            show=True,
        )
    except KeyboardInterrupt:
        sys.stderr.write("seedproof: interrupted\n")
        return INTERRUPTED
    outcome = conclude(conductor.states[arm.name], request.asked["outputs"] or ())
    return _report(outcome, store, request, settings.json)


def _report(outcome: ArmOutcome, store: Store, request: Request, json: str | None) -> int:
    status = _status(outcome)
    result = run_json.run_as_json(request.command, outcome, str(store.root), status)
    sys.stderr.write(run_text.run_as_text(outcome, str(store.root)))
    for line in failure_text.failures_as_text(outcome, store):
        sys.stderr.write(f"seedproof: {line}\n")
    store.write(RESULT_FILE, result)
    if json is not None:
        json_file.write(result, json)
    return status


def _status(outcome: ArmOutcome) -> int:
    """A single run is done where it was recorded: there is nothing to compare it with."""
    (one,) = outcome.runs
    done = outcome.exit_status == UNKNOWN and one.completed and one.records
    return IDENTICAL if done else outcome.exit_status


class Silent:
    """A watcher for a run whose own output is on the terminal."""

    def started(self, run: object) -> None:
        """Nothing to say."""

    def progress(self, run: object, steps: int) -> None:
        """Nothing to say."""

    def finished(self, run: object, end: object) -> None:
        """Nothing to say."""

    def note(self, text: str) -> None:
        """Nothing to say."""
