"""What `seedproof check` does, once its command line is taken apart."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seedproof.checking import plan
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import conclude, overall_exit
from seedproof.checking.store import PLAN_FILE, RESULT_FILE, Store
from seedproof.cli import options
from seedproof.cli.options import Option, Settings
from seedproof.cli.request import ASKED, VERB, Request
from seedproof.errors import INTERRUPTED, UsageError
from seedproof.present import check_json, check_text, failure_text, json_file, live
from seedproof.present.output import say
from seedproof.present.words import shown
from seedproof.runner.local import LocalRunner

_NOT_REPEATED = (options.POLICY, options.CONTINUE)
_ON_GOING_ON = (options.DIR, options.JSON)


def run(declared: Sequence[Option], arguments: Namespace, words: list[str]) -> int:
    """Carries it out and prints the verdict; returns the exit status."""
    settings = options.resolve(declared, arguments)
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    if getattr(settings, "continue"):
        store, request = _interrupted(settings, words)
    else:
        typed = options.as_typed(declared, arguments, _NOT_REPEATED)
        store, request = _new(settings, words, typed)
    arms = request.arms()
    _announce(request, arms)
    try:
        return _report(_conducted(request, arms, store), store, request, settings)
    except KeyboardInterrupt:
        go_on = ["seedproof", VERB, "--continue", *options.as_typed(_ON_GOING_ON, arguments)]
        sys.stderr.write(f"seedproof: interrupted; go on with: {shlex.join(go_on)}\n")
        return INTERRUPTED


def _new(settings: Settings, words: list[str], typed: list[str]) -> tuple[Store, Request]:
    if not words:
        raise UsageError("check: found no target; type: seedproof check script.py ARGS…")
    request = Request.new(settings, words, typed)
    request.arms()  # what they refuse is refused before anything is written
    return Store.create(Path(settings.dir), request.to_json()), request


def _interrupted(settings: Settings, words: list[str]) -> tuple[Store, Request]:
    """The check to go on with; UsageError for what would make another check of it."""
    store, content = Store.unfinished(Path(settings.dir), VERB)
    request = Request.kept(content, store.root / PLAN_FILE)
    if words and words != request.target:
        raise UsageError(
            f"--continue: the interrupted check ran {' '.join(request.target)}; leave the "
            "target out, or start a new check without --continue"
        )
    for key in ASKED:
        if settings.typed(key) and settings.values[key] != request.asked[key]:
            raise UsageError(
                f"{settings.origins[key]}: the interrupted check was started otherwise; leave it "
                "out, or start a new check without --continue"
            )
    return store, request


def _announce(request: Request, arms: Sequence[plan.Arm]) -> None:
    """What is run, and what of the user's own environment gives way to a pin named by them."""
    lines = [f"running {shlex.join(request.command)}"]
    lines += [line for arm in arms for line in plan.set_aside(arm.pins, os.environ)]
    for line in dict.fromkeys(lines):
        sys.stderr.write(shown(line, 1000) + "\n")


def _conducted(request: Request, arms: Sequence[plan.Arm], store: Store) -> Conductor:
    asked = request.asked
    with live.watcher(arms, store) as watcher:
        conductor = Conductor(
            arms,
            store,
            LocalRunner(),
            watcher,
            jobs=asked["jobs"],
            timeout=asked["timeout"],
            keep_going=asked["keep_going"],
        )
        conductor.conduct()
    return conductor


def _report(conductor: Conductor, store: Store, request: Request, settings: Settings) -> int:
    outcomes = [conclude(state) for state in conductor.states.values()]
    result = check_json.check_as_json(request.command, outcomes)
    if settings.json == "-":
        json_file.write(result, "-")
    else:
        again = [*request.typed, *request.target]
        say(check_text.check_as_text(again, outcomes, str(store.root)))
    for outcome in outcomes:
        for line in failure_text.failures_as_text(outcome, store):
            sys.stderr.write(f"seedproof: {line}\n")
    # Last, so that a full disk does not hide a verdict that took hours.
    store.write(RESULT_FILE, result)
    if settings.json not in (None, "-"):
        json_file.write(result, settings.json)
    return overall_exit(outcome.exit_status for outcome in outcomes)
