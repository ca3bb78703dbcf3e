"""What `seedproof check` does, once its command line is taken apart, until its runs can start."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seedproof.checking.store import PLAN_FILE, Store
from seedproof.cli import explain, options
from seedproof.cli.conducting import announce, runner_of
from seedproof.cli.options import Option, Settings
from seedproof.cli.request import ASKED, Request
from seedproof.errors import INTERRUPTED, UsageError
from seedproof.present import json_file

_VERB = "check"
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
    common = [option for option in declared if option in explain.OPTIONS]
    to_explain = options.as_typed(common, arguments, (*_NOT_REPEATED, options.RUNS))
    arms = request.arms()
    announce(shlex.join(request.command), arms)
    try:
        runner = runner_of(arms, store, going_on=getattr(settings, "continue"))
        # While the runner looks for a way to private views: it takes as long.
        from seedproof.cli.check_verdict import verdict_on

        return verdict_on(request, arms, store, settings, runner, to_explain)
    except KeyboardInterrupt:
        go_on = ["seedproof", _VERB, "--continue", *options.as_typed(_ON_GOING_ON, arguments)]
        sys.stderr.write(f"seedproof: interrupted; go on with: {shlex.join(go_on)}\n")
        return INTERRUPTED


def _new(settings: Settings, words: list[str], typed: list[str]) -> tuple[Store, Request]:
    request = Request.new(_VERB, settings, words, typed)
    request.arms()  # what they refuse is refused before anything is written
    return Store.create(Path(settings.dir), request.to_json()), request


def _interrupted(settings: Settings, words: list[str]) -> tuple[Store, Request]:
    """The check to go on with; UsageError for what would make another check of it."""
    store, content = Store.unfinished(Path(settings.dir), _VERB)
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
