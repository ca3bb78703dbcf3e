"""What `seedproof explain` does, once its command line is taken apart."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seedproof.checking.arm_state import ArmState
from seedproof.checking.plan import Arm
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli import options
from seedproof.cli.conducting import announce, conducted, runner_of
from seedproof.cli.explain import ALL
from seedproof.cli.options import Option, Settings
from seedproof.cli.request import Request, refuse_several_policies
from seedproof.errors import INTERRUPTED
from seedproof.present import explain_json, explain_text, failure_text, json_file, live
from seedproof.present.output import say
from seedproof.search.explain import Search
from seedproof.search.explanation import Explanation
from seedproof.search.trials import Trials

_VERB = "explain"


def run(declared: Sequence[Option], arguments: Namespace, words: list[str]) -> int:
    """Carries it out and prints the explanation; returns the exit status."""
    settings = options.resolve(declared, arguments)
    if settings.json is not None:
        json_file.refuse_unwritable(settings.json)
    refuse_several_policies(settings, "one policy is explained at a time")
    typed = options.as_typed(declared, arguments, (options.RUNS, options.JSON, options.DIR, ALL))
    request = Request.new(_VERB, settings, words, typed)
    (arm,) = request.arms()
    store = Store.create(Path(settings.dir), request.to_json())
    announce(shlex.join(request.command), [arm])
    try:
        found = _search(arm, store, settings, request).explain(settings.runs, find_all=settings.all)
    except KeyboardInterrupt:
        sys.stderr.write("seedproof: interrupted\n")
        return INTERRUPTED
    return _report(found, store, request, settings.json)


def _search(arm: Arm, store: Store, settings: Settings, request: Request) -> Search:
    runner = runner_of([arm], store)

    def carry_out(trial: Arm, keep_going: bool) -> ArmState:
        with live.watcher([trial], store) as watcher:
            conductor = conducted(
                [trial],
                store,
                runner,
                watcher,
                jobs=1 if settings.in_place else settings.jobs,
                timeout=settings.timeout,
                keep_going=keep_going,
            )
        return conductor.states[trial.name]

    base = request.base().with_scope(notes=True)
    outputs = tuple(settings.outputs or ())
    trials = Trials(base, arm.pins, carry_out, outputs)
    return Search(trials, settings.seed, settings.threads, arm.pins, _tell)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _report(found: Explanation, store: Store, request: Request, json: str | None) -> int:
    result = explain_json.explanation_as_json(request.command, found)
    if json == "-":
        json_file.write(result, "-")
    else:
        say(explain_text.explanation_as_text([*request.typed, *request.target], found, store.root))
    for line in failure_text.failures_as_text(found.outcome, store):
        sys.stderr.write(f"seedproof: {line}\n")
    store.write(RESULT_FILE, result)
    if json not in (None, "-"):
        json_file.write(result, json)
    return found.outcome.exit_status
