"""Each option once: its flag, its variable, its key in pyproject.toml, its help.

The command line beats the variable `SEEDPROOF_NAME`, which beats `[tool.seedproof]` in the
`pyproject.toml` of the working directory.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seedproof.cli import pyproject
from seedproof.cli.values import extent, glob, pin_item, policy_name, seconds, vary_item
from seedproof.cli.values import whole as whole
from seedproof.errors import UsageError

# Options that a verb declares itself; in the file, those of all verbs stand side by side.
_OF_ONE_VERB = (
    "all",
    "batch-size",
    "dataset",
    "epochs",
    "folds",
    "full",
    "pairs",
    "results",
    "samples",
)


@dataclass(frozen=True)
class Option:
    """One option. `parse` turns text into a value and raises ValueError saying what is allowed."""

    name: str
    help: str
    metavar: str = ""
    parse: Callable[[str], Any] = str
    default: Any = None
    kind: Literal["value", "flag", "list"] = "value"

    @property
    def flag(self) -> str:
        """The flag as typed."""
        return "--" + self.name

    @property
    def key(self) -> str:
        """The attribute that holds the value."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable with the same meaning."""
        return "SEEDPROOF_" + self.key.upper()

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declares the flag; values stay text until `resolve`."""
        if self.kind == "flag":
            parser.add_argument(self.flag, action="store_true", default=None, help=self.help)
        else:
            action = "append" if self.kind == "list" else "store"
            parser.add_argument(
                self.flag, action=action, metavar=self.metavar, default=None, help=self.help
            )


@dataclass
class Settings:
    """The values of all options of a verb, and where each one that was given came from."""

    values: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, key: str) -> Any:
        try:
            return self.values[key]
        except KeyError:
            raise AttributeError(key) from None

    def given(self, key: str) -> bool:
        """Whether the user set this option anywhere."""
        return key in self.origins

    def typed(self, key: str) -> bool:
        """Whether the user set it for this command, on its command line."""
        return self.origins.get(key, "").startswith("--")


def as_typed(
    options: Sequence[Option], arguments: argparse.Namespace, without: Sequence[Option] = ()
) -> list[str]:
    """The words of a command line that gives these options as `arguments` has them, in order."""
    words = []
    for option in options:
        value = getattr(arguments, option.key)
        if value is None or option in without:
            continue
        if option.kind == "flag":
            words.append(option.flag)
        else:
            texts = value if option.kind == "list" else [value]
            words += [word for text in texts for word in _flag_and(option, text)]
    return words


def _flag_and(option: Option, text: str) -> list[str]:
    return [f"{option.flag}={text}"] if text.startswith("-") else [option.flag, text]


def resolve(options: Sequence[Option], arguments: argparse.Namespace) -> Settings:
    """Values from the command line, else the variables, else pyproject.toml, else the defaults."""
    from_file = pyproject.table(_known())
    settings = Settings({})
    for option in options:
        value, origin = _first_given(option, arguments, from_file)
        if origin:
            settings.origins[option.key] = origin
            value = _parsed(option, value, origin)
        settings.values[option.key] = option.default if value is None else value
    return settings


def _known() -> set[str]:
    shared = {option.name for option in globals().values() if isinstance(option, Option)}
    return shared.union(_OF_ONE_VERB)


def _first_given(
    option: Option, arguments: argparse.Namespace, from_file: Mapping[str, Any]
) -> tuple[Any, str]:
    typed = getattr(arguments, option.key, None)
    if typed is not None:
        return typed, option.flag
    variable = os.environ.get(option.variable)
    if variable is not None:
        return _split(option, variable), option.variable
    if option.name in from_file:
        return _from_toml(option, from_file[option.name]), pyproject.origin(option.name)
    return None, ""


def _split(option: Option, text: str) -> Any:
    return text.split() if option.kind == "list" else text


def _from_toml(option: Option, value: Any) -> Any:
    if option.kind == "list":
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(option: Option, value: Any, origin: str) -> Any:
    if option.kind == "list":
        return [_parsed_one(option, item, origin) for item in value]
    if option.kind == "flag":
        return value if isinstance(value, bool) else _truth(str(value), origin)
    return _parsed_one(option, value, origin)


def _parsed_one(option: Option, text: str, origin: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageError(f"{origin}: found {text!r}; allowed is {error}") from None


def _truth(text: str, origin: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise UsageError(f"{origin}: found {text!r}; allowed is true or false")
    return words[text.lower()]


POLICY = Option("policy", "a named set of pins; repeat it for several arms", "NAME", policy_name,
                kind="list")  # fmt: skip
PIN = Option("pin", "pin one more source, or give its value", "SOURCE[=VALUE]", pin_item,
             kind="list")  # fmt: skip
VARY = Option("vary", "vary a source between the runs", "SOURCE[=V1,V2,…]", vary_item,
              kind="list")  # fmt: skip
RUNS = Option("runs", "runs per arm (3)", "N", whole(2, 10_000), 3)
SEED = Option("seed", "the seed that policies pin (0)", "S", whole(0, 2**32 - 1), 0)
THREADS = Option("threads", "the number of threads that policies pin (1)", "T", whole(1, 4096), 1)
STEPS = Option("steps", "end each run after K training steps, or after 1epoch", "K", extent)
OUTPUTS = Option("outputs", "files written to compare; - is standard output", "GLOB", glob,
                 kind="list")  # fmt: skip
CONTROL = Option("control", "show that a difference would have been seen, and that recording "
                 "changed nothing", kind="flag", default=False)  # fmt: skip
IN_PLACE = Option("in-place", "runs one after the other in the real directory, not in private "
                  "views of it", kind="flag", default=False)  # fmt: skip
SHOW = Option("show", "the target's output on the terminal too", kind="flag", default=False)
JOBS = Option("jobs", "runs side by side (as many as the cores carry)", "N", whole(1, 4096))
PYTHON = Option("python", "the interpreter that runs the target (the active environment's)", "PATH")
KEEP_GOING = Option("keep-going", "do not stop at the first divergence", kind="flag", default=False)
TIMEOUT = Option("timeout", "the longest that one run may take", "SECONDS", seconds)
CONTINUE = Option("continue", "go on with the check that was interrupted last", kind="flag",
                  default=False)  # fmt: skip
DIR = Option("dir", "where runs are kept (.seedproof)", "DIR", default=".seedproof")
JSON = Option("json", "write the result as JSON (- is standard output)", "FILE")
