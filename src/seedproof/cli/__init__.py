"""The command `seedproof`: finds the verb, runs it, turns errors into one line and a status."""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from seedproof._version import __version__
from seedproof.errors import INTERRUPTED, SeedproofError, UsageError
from seedproof.present.output import forget_closed, say

VERBS = {
    "check": "N runs, compared bit by bit: the verdict",
    "explain": "where the runs part and what causes it",
    "run": "one recorded run",
    "diff": "recorded runs, from anywhere, compared",
    "demo": "the reference experiment, with and without the options",
    "doctor": "what this machine and environment would do",
    "eval": "the article's evaluation of its text files",
    "sources": "the catalogue of sources, policy by policy",
}
_SHORT = ("check", "explain", "run", "diff", "demo", "doctor")


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line that name the way out, and no options cut short."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_args(self, args: Sequence[str]) -> argparse.Namespace:  # type: ignore[override]
        """The arguments; UsageError for what is none, with the option that was perhaps meant."""
        found, unknown = self.parse_known_args(args)
        if unknown:
            word = unknown[0].partition("=")[0]
            self.error(f"{word}: no such option{did_you_mean(word, self._option_string_actions)}")
        return found

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; type: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names may hold what the terminal's encoding has no letter for.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _dispatch(words)
    except SeedproofError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        forget_closed()
        return SeedproofError.exit_status
    except OSError as error:
        return _fail(_os_error(error), SeedproofError.exit_status)
    except Exception as error:
        if "SEEDPROOF_DEBUG" in os.environ:
            traceback.print_exc()
        kind = type(error).__name__
        return _fail(
            f"internal error, a fault of this program: {kind}: {error}; to see where: "
            "SEEDPROOF_DEBUG=1",
            SeedproofError.exit_status,
        )


def _fail(message: str, status: int) -> int:
    """The one line, whatever stands in a file's name."""
    line = " ".join(message.splitlines())
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    try:
        sys.stderr.write(f"seedproof: {plain}\n")
    except BrokenPipeError:
        forget_closed()
    return status


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to add to the news that `word` is unknown; empty where nothing is near."""
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "--help-all"):
        say(_help(everything=words == ["--help-all"]))
        return 0 if words else UsageError.exit_status
    if words[0] == "--version":
        say(f"seedproof {__version__}\n")
        return 0
    verb = words[0]
    if verb not in VERBS:
        raise UsageError(_unknown_verb(verb))
    module = importlib.import_module(f"seedproof.cli.{verb}")
    status: int = module.main(words[1:])
    return status


def _unknown_verb(verb: str) -> str:
    guess = did_you_mean(verb, VERBS)
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
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{place}the disk is full; free some space, then go on with --continue"
    return f"{place}{error.strerror or error}"
