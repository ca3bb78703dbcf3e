"""What the user asked of a check; it is kept beside the runs, so that they can be gone on with."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from seedproof.checking import plan
from seedproof.cli import options, target
from seedproof.errors import UsageError
from seedproof.launch import Value

VERB = "check"
# What decides the runs; `--continue` takes these from the check that it goes on with.
ASKED = ("policy", "pin", "vary", "runs", "seed", "threads", "jobs", "python", "keep_going",
         "timeout")  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One check as it was asked for.

    `command` is run in `directory`; `target` is what the user typed for it, `typed` their options
    but for the policy, and `by_name` the sources that they named to be pinned.
    """

    command: list[str]
    directory: str
    target: list[str]
    typed: list[str]
    asked: dict[str, Any]
    by_name: list[str]

    @classmethod
    def new(cls, settings: options.Settings, words: list[str], typed: list[str]) -> Request:
        """From a command line that names a target; UsageError where it contradicts itself."""
        asked = {key: settings.values[key] for key in ASKED}
        asked["policy"] = asked["policy"] or ["as-is"]
        by_name = [item.partition("=")[0] for item in asked["pin"] or ()]
        by_name += ["num_threads"] if settings.given("threads") else []
        command = target.command(words, settings.python)
        request = cls(command, str(Path.cwd()), words, typed, asked, by_name)
        request._refuse_a_policy_twice(settings)
        request._refuse_what_has_no_effect(settings)
        return request

    @classmethod
    def kept(cls, content: dict[str, Any], place: Path) -> Request:
        """From what `to_json` wrote to `place`; UsageError where that was somebody else's."""
        found = {key: value for key, value in content.items() if key != "verb"}
        known = {field.name for field in fields(cls)}
        asked = found.get("asked")
        if found.keys() != known or (isinstance(asked, dict) and asked.keys() != set(ASKED)):
            raise _refused(place, "of another version of seedproof")
        if not _is_sound(found):
            raise _refused(place, "damaged")
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """For `check.json`."""
        return {"verb": VERB, **asdict(self)}

    def arms(self) -> list[plan.Arm]:
        """The arms with their runs; UsageError where the environment contradicts a pin."""
        base = plan.base_launch(self.command, self.directory)
        variations = plan.variations(self.asked["vary"] or (), self.asked["runs"])
        arms = []
        for policy, pins in self._pins().items():
            plan.refuse_contradictions(pins, self.by_name, os.environ)
            arms.append(plan.arm(policy, pins, base, variations))
        return arms

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
