"""`seedproof eval`: the article's evaluation of its text files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from seedproof.cli import Parser, options
from seedproof.errors import UsageError
from seedproof.experiments.evaluation import Evaluation, evaluate_results
from seedproof.present import json_file
from seedproof.present.eval_json import evaluations_as_json
from seedproof.present.eval_text import present_evaluation

OPTIONS = (options.JSON,)


def main(argv: Sequence[str]) -> int:
    """Evaluates every file that can be read; returns 2 if one cannot, else 0."""
    arguments = _parser().parse_args(argv)
    destination = options.resolve(OPTIONS, arguments).json
    _refuse_to_overwrite(destination, arguments.files)
    evaluations = []
    for evaluation in _evaluated(arguments.files):
        evaluations.append(evaluation)
        if destination != "-":
            _say(present_evaluation(evaluation))
    if destination is not None:
        json_file.write(evaluations_as_json(evaluations), destination)
    return 0 if len(evaluations) == len(arguments.files) else UsageError.exit_status


def _parser() -> Parser:
    parser = Parser(
        prog="seedproof eval",
        description="Variance and time of the article's text files, and whether their runs agree.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a text file of demo's results")
    for option in OPTIONS:
        option.add_to(parser)
    return parser


def _refuse_to_overwrite(destination: str | None, files: Sequence[str]) -> None:
    for path in files:
        if destination is not None and Path(destination).resolve() == Path(path).resolve():
            raise UsageError(f"--json {destination}: it is to be evaluated; name another file")


def _evaluated(files: Sequence[str]) -> Iterator[Evaluation]:
    """One after the other; a damaged file gives its line and does not stop the rest."""
    for path in files:
        try:
            yield evaluate_results(path)
        except UsageError as error:
            sys.stderr.write(f"seedproof: {error}\n")


def _say(text: str) -> None:
    # File names may hold what the terminal's encoding has no letter for.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
