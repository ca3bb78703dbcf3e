"""`seedproof check`: N runs, compared bit by bit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedproof.checking import plan
from seedproof.checking.conduct import Conductor
from seedproof.checking.outcome import conclude, overall_exit
from seedproof.checking.store import RESULT_FILE, Store
from seedproof.cli import INTERRUPTED, Parser, options, target
from seedproof.errors import UsageError
from seedproof.present import check_json, check_text, failure_text, live
from seedproof.runner.local import LocalRunner
from seedproof.sources import CATALOGUE

OPTIONS = (
    options.POLICY,
    options.PIN,
    options.VARY,
    options.RUNS,
    options.SEED,
    options.THREADS,
    options.JOBS,
    options.PYTHON,
    options.KEEP_GOING,
    options.TIMEOUT,
    options.CONTINUE,
    options.DIR,
    options.JSON,
)
# What decides the runs; `--continue` takes these from the check that it goes on with.
_ASKED = ("policy", "pin", "vary", "runs", "seed", "threads", "jobs", "keep_going", "timeout")


@dataclass(frozen=True)
class Request:
    """What the user asked; it is kept with the check, so that it can be gone on with."""

    command: list[str]
    target: list[str]
    asked: dict[str, Any]
    by_name: list[str]

    @classmethod
    def from_settings(cls, settings: options.Settings, words: list[str]) -> Request:
        """From a command line that names a target."""
        asked = {key: settings.values[key] for key in _ASKED}
        asked["policy"] = asked["policy"] or ["as-is"]
        by_name = [item.partition("=")[0] for item in asked["pin"] or ()]
        by_name += ["num_threads"] if settings.given("threads") else []
        request = cls(target.command(words, settings.python), words, asked, by_name)
        request.refuse_what_has_no_effect(settings)
        return request

    def refuse_what_has_no_effect(self, settings: options.Settings) -> None:
        """An option that can change nothing is a misunderstanding, said before anything runs."""
        pinned = {name for arm in self.arms() for name in arm.pins}
        for key, needs in (("seed", {"seeds", "hash_seed"}), ("threads", {"num_threads"})):
            if settings.given(key) and not pinned & needs:
                raise UsageError(
                    f"{settings.origins[key]}: it has no effect, since {self.asked['policy'][0]} "
                    f"pins no {' and no '.join(sorted(needs))}; add --policy deterministic"
                )

    def arms(self) -> list[plan.Arm]:
        """The arms with their runs; raises UsageError for a contradiction or an unknown source."""
        asked = self.asked
        base = plan.base_launch(self.command)
        variations = plan.variations(asked["vary"] or (), asked["runs"])
        arms = []
        for policy in dict.fromkeys(asked["policy"]):
            pins = plan.pins(policy, asked["pin"] or (), asked["seed"], asked["threads"])
            plan.refuse_contradictions(pins, self.by_name, os.environ)
            arms.append(plan.arm(policy, pins, base, variations))
        return arms

    def to_json(self) -> dict[str, Any]:
        """For `check.json`."""
        return {
            "verb": "check",
            "command": self.command,
            "target": self.target,
            "asked": self.asked,
            "by_name": self.by_name,
        }


def main(argv: Sequence[str]) -> int:
    """Runs the check and prints the verdict; returns the exit status."""
    own, words = target.split(argv, OPTIONS)
    settings = options.resolve(OPTIONS, _parser().parse_args(own))
    store, request = _store_and_request(settings, words)
    arms = request.arms()
    _announce(request, store, settings)
    asked = request.asked
    with live.watcher(sum(len(arm.runs) for arm in arms)) as watcher:
        conductor = Conductor(
            arms,
            store,
            LocalRunner(),
            watcher,
            jobs=asked["jobs"],
            timeout=asked["timeout"],
            keep_going=asked["keep_going"],
        )
        try:
            conductor.conduct()
        except KeyboardInterrupt:
            sys.stderr.write(f"seedproof: interrupted; go on with: {_continue(settings)}\n")
            return INTERRUPTED
    return _report(conductor, store, request, settings)


def _parser() -> Parser:
    parser = Parser(
        prog="seedproof check",
        usage="seedproof check [options] TARGET",
        description="N runs, compared bit by bit. TARGET is script.py ARGS…, -m module ARGS…, or, "
        "after --, any command.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    return parser


def _store_and_request(settings: options.Settings, words: list[str]) -> tuple[Store, Request]:
    if getattr(settings, "continue"):
        store, kept = Store.unfinished(Path(settings.dir), "check")
        kept.pop("verb")
        request = Request(**kept)
        if words and words != request.target:
            raise UsageError(
                f"--continue: the interrupted check ran {' '.join(request.target)}; leave the "
                "target out, or start a new check without --continue"
            )
        return store, request
    if not words:
        raise UsageError("check: found no target; type: seedproof check script.py ARGS…")
    request = Request.from_settings(settings, words)
    return Store.create(Path(settings.dir), request.to_json()), request


def _announce(request: Request, store: Store, settings: options.Settings) -> None:
    sys.stderr.write(f"running {' '.join(request.command)}\n")
    for name in sorted(set(request.by_name) & set(CATALOGUE)):
        for variable in CATALOGUE[name].variables(_pinned_value(request, name)):
            own = os.environ.get(variable.name)
            if own is not None and not variable.accepts(own):
                sys.stderr.write(f"{variable.name}={own} is set aside for {variable.value}\n")
    del store, settings


def _pinned_value(request: Request, name: str) -> Any:
    return next(arm.pins[name] for arm in request.arms() if name in arm.pins)


def _continue(settings: options.Settings) -> str:
    place = f" --dir {settings.dir}" if settings.given("dir") else ""
    return f"seedproof check --continue{place}"


def _report(
    conductor: Conductor, store: Store, request: Request, settings: options.Settings
) -> int:
    outcomes = [conclude(state) for state in conductor.states.values()]
    result = check_json.check_as_json(request.command, outcomes)
    store.write(RESULT_FILE, result)
    if settings.json is not None:
        check_json.write(result, settings.json)
    if settings.json != "-":
        sys.stdout.write(check_text.check_as_text(request.target, outcomes, str(store.root)))
    for outcome in outcomes:
        for line in failure_text.failures_as_text(outcome, store):
            sys.stderr.write(f"seedproof: {line}\n")
    return overall_exit(outcome.exit_status for outcome in outcomes)
