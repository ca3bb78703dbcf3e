"""The command `seedproof`: finds the verb, runs it, turns errors into one line and a status."""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from seedproof._version import __version__
from seedproof.errors import SeedproofError, UsageError

VERBS = {
    "check": "N runs, compared bit by bit: the verdict",
    "demo": "the reference experiment, with and without the options",
    "doctor": "what this machine and environment would do",
    "eval": "the article's evaluation of its text files",
    "sources": "the catalogue of sources, policy by policy",
}
_SHORT = ("check", "demo", "doctor")
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line that name the way out."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; type: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except SeedproofError as error:
        print(f"seedproof: {error}", file=sys.stderr)  # noqa: T201 - the one line
        return error.exit_status
    except KeyboardInterrupt:
        print("seedproof: interrupted", file=sys.stderr)  # noqa: T201 - the one line
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"seedproof: {_os_error(error)}", file=sys.stderr)  # noqa: T201 - the one line
        return SeedproofError.exit_status


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "--help-all"):
        sys.stdout.write(_help(everything=words == ["--help-all"]))
        return 0 if words else UsageError.exit_status
    if words[0] == "--version":
        sys.stdout.write(f"seedproof {__version__}\n")
        return 0
    verb = words[0]
    if verb not in VERBS:
        raise UsageError(_unknown_verb(verb))
    module = importlib.import_module(f"seedproof.cli.{verb}")
    status: int = module.main(words[1:])
    return status


def _unknown_verb(verb: str) -> str:
    near = difflib.get_close_matches(verb, VERBS, 1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return f"{verb}: no such command{guess}; there are {', '.join(VERBS)}; type: seedproof --help"


def _help(everything: bool) -> str:
    shown = VERBS if everything else _SHORT
    lines = [f"  seedproof {verb:<9}{VERBS[verb]}" for verb in shown]
    rest = "" if everything else "\nseedproof --help-all shows the rest.\n"
    return (
        "Makes a training repeat, and proves bit for bit that it does.\n\n"
        + "\n".join(lines)
        + "\n\nseedproof VERB --help explains one.\n"
        + rest
    )


def _os_error(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}the disk is full; free some space, then go on with --continue"
    return f"{place}{error.strerror or error}"
