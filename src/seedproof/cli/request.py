"""What the user asked for; it is kept beside the runs, so that a check can be gone on with."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from seedproof.checking import plan
from seedproof.cli import options, target
from seedproof.cli.values import STANDARD_OUTPUT, scope_of
from seedproof.errors import UsageError
from seedproof.inside import trackers
from seedproof.launch import Launch, Value

# What decides the runs; `--continue` takes these from the check that it goes on with.
ASKED = ("policy", "pin", "vary", "runs", "seed", "threads", "steps", "outputs", "control",
         "in_place", "jobs", "python", "keep_going", "timeout")  # fmt: skip

# What `run` does not ask: it is one run, in the real directory.
_ONE_RUN = {"runs": 1, "jobs": 1, "in_place": True, "control": False, "keep_going": False}


@dataclass(frozen=True)
class Request:
    """One check, or one run, as it was asked for.

    `verb` is the command that was asked. `command` is run in `directory`; `target` is what the
    user typed for it, `typed` their options but for the policy, and `by_name` the sources that
    they named to be pinned.
    """

    verb: str
    command: list[str]
    directory: str
    target: list[str]
    typed: list[str]
    asked: dict[str, Any]
    by_name: list[str]

    @classmethod
    def new(
        cls, verb: str, settings: options.Settings, words: list[str], typed: list[str]
    ) -> Request:
        """From a command line that names a target; UsageError where it contradicts itself."""
        if not words:
            raise UsageError(f"{verb}: found no target; type: seedproof {verb} script.py ARGS…")
        asked = {key: settings.values.get(key, _ONE_RUN.get(key)) for key in ASKED}
        asked["policy"] = asked["policy"] or ["as-is"]
        by_name = [item.partition("=")[0] for item in asked["pin"] or ()]
        by_name += ["num_threads"] if settings.given("threads") else []
        command = target.command(words, settings.python)
        request = cls(verb, command, str(Path.cwd()), words, typed, asked, by_name)
        request._refuse_a_policy_twice(settings)
        request._refuse_what_has_no_effect(settings)
        if asked["in_place"] and settings.typed("jobs") and asked["jobs"] != 1:
            raise UsageError(
                f"--jobs {asked['jobs']}: runs in place come one after the other; leave one of "
                "--jobs and --in-place out"
            )
        return request

    @classmethod
    def kept(cls, content: dict[str, Any], place: Path) -> Request:
        """From what `to_json` wrote to `place`; UsageError where that was somebody else's."""
        known = {field.name for field in fields(cls)}
        asked = content.get("asked")
        if content.keys() != known or (isinstance(asked, dict) and asked.keys() != set(ASKED)):
            raise _refused(place, "of another version of seedproof")
        if not _is_sound(content):
            raise _refused(place, "damaged")
        return cls(**content)

    def to_json(self) -> dict[str, Any]:
        """For `check.json`."""
        return asdict(self)

    def arms(self) -> list[plan.Arm]:
        """The arms with their runs; UsageError where the environment contradicts a pin."""
        base = self.base()
        variations = plan.variations(self.asked["vary"] or (), self.asked["runs"])
        arms = []
        for policy, pins in self._pins().items():
            plan.refuse_contradictions(pins, self.by_name, os.environ)
            arm = plan.arm(policy, pins, base, variations)
            arms.append(plan.with_controls(arm) if self.asked["control"] else arm)
        return arms

    def base(self) -> Launch:
        """The launch of every run before a source is touched."""
        asked = self.asked
        launch = plan.base_launch(self.command, self.directory)
        if self.verb != "run":
            launch = launch.with_our_environment(trackers.offline(launch.environment))
        if asked["steps"] is not None:
            launch = launch.with_scope(**scope_of(asked["steps"]))
        collect = tuple(one for one in asked["outputs"] or () if one != STANDARD_OUTPUT)
        view = "shared" if asked["in_place"] else "private"
        return replace(launch, view=view, collect=collect)

    def _pins(self) -> dict[str, dict[str, Value]]:
        asked = self.asked
        return {
            policy: plan.pins(policy, asked["pin"] or (), asked["seed"], asked["threads"])
            for policy in asked["policy"]
        }

    def _policies(self) -> str:
        return " and ".join(self.asked["policy"])

    def _refuse_a_policy_twice(self, settings: options.Settings) -> None:
        for policy in self.asked["policy"]:
            if self.asked["policy"].count(policy) > 1:
                raise UsageError(
                    f"{settings.origins['policy']}: found {policy} twice; each policy is one arm, "
                    "whose runs --runs counts"
                )

    def _refuse_what_has_no_effect(self, settings: options.Settings) -> None:
        """An option typed for nothing is a misunderstanding, said before anything runs."""
        for key in ("seed", "threads"):
            other = replace(self, asked={**self.asked, key: self.asked[key] + 1})
            if settings.typed(key) and other._pins() == self._pins():
                raise UsageError(
                    f"--{key}: it has no effect, since no pin of {self._policies()} takes it; "
                    "add --policy deterministic"
                )


def refuse_several_policies(settings: options.Settings, reason: str) -> None:
    """UsageError where more than one policy was given to a verb that takes one."""
    if len(settings.policy or ()) > 1:
        named = " and ".join(settings.policy)
        raise UsageError(f"{settings.origins['policy']}: found {named}; {reason}")


def _refused(place: Path, what: str) -> UsageError:
    return UsageError(f"--continue: {place} is {what}; start a new check without --continue")


def _is_sound(found: dict[str, Any]) -> bool:
    """Whether everything has its type, and every option a value that could have been typed."""
    asked = found["asked"]
    return (
        isinstance(found["directory"], str)
        and all(_are_words(found[key]) for key in ("command", "target", "typed", "by_name"))
        and isinstance(asked, dict)
        and all(_is_value(getattr(options, key.upper()), asked[key]) for key in ASKED)
        and bool(asked["policy"])
    )


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _is_value(option: options.Option, value: Any) -> bool:
    if value is None:
        return option.default is None
    if option.kind == "flag":
        return isinstance(value, bool)
    if option.kind == "list":
        return isinstance(value, list) and all(_can_be_typed(option, item) for item in value)
    return _can_be_typed(option, value)


def _can_be_typed(option: options.Option, value: Any) -> bool:
    try:
        return bool(option.parse(str(value)) == value)
    except ValueError:
        return False
