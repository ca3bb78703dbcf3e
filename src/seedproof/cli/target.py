"""Where the options of a verb end and the target begins, and which command the target is."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seedproof.cli import Parser
from seedproof.cli.options import Option
from seedproof.errors import UsageError


def split(argv: Sequence[str], options: Sequence[Option]) -> tuple[list[str], list[str]]:
    """The verb's own arguments, and the target with all that follows it, untouched."""
    takes_value = {option.flag for option in options if option.kind != "flag"}
    at = 0
    while at < len(argv):
        word = argv[at]
        if word in ("--", "-m") or not word.startswith("-"):
            return list(argv[:at]), list(argv[at:])
        at += 2 if word in takes_value else 1
    return list(argv), []


def parsed(
    verb: str, description: str, options: Sequence[Option], argv: Sequence[str]
) -> tuple[Namespace, list[str]]:
    """The arguments of a verb that takes a target, and the words of the target."""
    own, words = split(argv, options)
    parser = Parser(
        prog=f"seedproof {verb}",
        usage=f"seedproof {verb} [options] TARGET",
        description=f"{description} TARGET is script.py ARGS…, -m module ARGS…, or, after --, any "
        "command.",
    )
    for option in options:
        option.add_to(parser)
    return parser.parse_args(own), words


def command(target: Sequence[str], python: str | None) -> list[str]:
    """The command of a target: `script.py …`, `-m module …`, or, after `--`, any command.

    Raises UsageError where there is nothing to run.
    """
    if target[0] == "-m":
        if len(target) < 2:
            raise UsageError("-m: found no module after it; type: -m package.module ARGS…")
        return [interpreter(python), *target]
    if target[0] == "--":
        return _any_command(target[1:])
    if target[0].endswith(".ipynb"):
        raise UsageError(
            f"{target[0]}: a notebook cannot be run as it is; type: jupyter nbconvert --to script "
            f"{target[0]}, and give the script"
        )
    if target[0].endswith((".py", ".pyw")) or not shutil.which(target[0]):
        return [interpreter(python), _existing(target[0]), *target[1:]]
    return list(target)


def _any_command(words: Sequence[str]) -> list[str]:
    if not words:
        raise UsageError("--: found no command after it; type: -- COMMAND ARGS…")
    if shutil.which(words[0]) is None:
        raise UsageError(f"{words[0]}: no such command; give its path, or a script.py")
    return list(words)


def _existing(script: str) -> str:
    try:
        found = Path(script).is_file()
    except OSError:  # no name that a file can have
        found = False
    if not found:
        raise UsageError(f"{script}: no such script; give the path of a file, or -m MODULE")
    return script


def interpreter(chosen: str | None) -> str:
    """The interpreter of `--python`, else of the active environment, else the first on PATH."""
    if chosen is not None:
        found = shutil.which(chosen)
        if found is None:
            raise UsageError(f"--python: found {chosen!r}, which is no program; give its path")
        return found
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = os.environ.get(variable)
        found = prefix and (_python_of(Path(prefix)))
        if found:
            return found
    return shutil.which("python3") or shutil.which("python") or sys.executable


def _python_of(prefix: Path) -> str | None:
    for place in (
        prefix / "bin" / "python",
        prefix / "Scripts" / "python.exe",
        prefix / "python.exe",
    ):
        if place.is_file():
            return str(place)
    return None
