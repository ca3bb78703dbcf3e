"""Each option once: its flag, its variable, its key in pyproject.toml, its help.

The command line beats the variable `SEEDPROOF_NAME`, which beats `[tool.seedproof]` in the
`pyproject.toml` of the working directory.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seedproof.errors import UsageError


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


def resolve(options: Sequence[Option], arguments: argparse.Namespace) -> Settings:
    """Values from the command line, else the variables, else pyproject.toml, else the defaults."""
    from_file = _pyproject_table()
    settings = Settings({})
    for option in options:
        value, origin = _first_given(option, arguments, from_file)
        if origin:
            settings.origins[option.key] = origin
            value = _parsed(option, value, origin)
        settings.values[option.key] = option.default if value is None else value
    return settings


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
        return _from_toml(option, from_file[option.name]), f"tool.seedproof.{option.name}"
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


def _pyproject_table() -> Mapping[str, Any]:
    path = Path("pyproject.toml")
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("seedproof", {})
    except OSError:
        return {}
    except ValueError as error:
        raise UsageError(f"{path}: it cannot be read as TOML: {error}") from None
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.seedproof is {table!r}; allowed is a table of options")
    return table


def whole(low: int, high: int) -> Callable[[str], int]:
    """A parser for whole numbers in a range."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    """A parser for a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ValueError("a number of seconds above 0")
    return value


def policy_name(text: str) -> str:
    """A parser for the name of a policy."""
    from seedproof.policies import POLICIES

    if text not in POLICIES:
        raise ValueError("one of " + ", ".join(POLICIES))
    return text


POLICY = Option("policy", "a named set of pins; repeat it for several arms", "NAME", policy_name,
                kind="list")  # fmt: skip
PIN = Option("pin", "pin one more source, or give its value", "SOURCE[=VALUE]", kind="list")
VARY = Option("vary", "vary a source between the runs", "SOURCE[=V1,V2,…]", kind="list")
RUNS = Option("runs", "runs per arm (3)", "N", whole(2, 10_000), 3)
SEED = Option("seed", "the seed that policies pin (0)", "S", whole(0, 2**32 - 1), 0)
THREADS = Option("threads", "the number of threads that policies pin (1)", "T", whole(1, 4096), 1)
JOBS = Option("jobs", "runs side by side (as many as the cores carry)", "N", whole(1, 4096))
PYTHON = Option("python", "the interpreter that runs the target (the active environment's)", "PATH")
KEEP_GOING = Option("keep-going", "do not stop at the first divergence", kind="flag", default=False)
SHOW = Option("show", "the target's output on the terminal too", kind="flag", default=False)
TIMEOUT = Option("timeout", "the longest that one run may take", "SECONDS", seconds)
CONTINUE = Option("continue", "go on with the check that was interrupted last", kind="flag",
                  default=False)  # fmt: skip
DIR = Option("dir", "where runs are kept (.seedproof)", "DIR", default=".seedproof")
JSON = Option("json", "write the result as JSON (- is standard output)", "FILE")
