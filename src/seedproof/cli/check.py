"""`seedproof check`: N runs, compared bit by bit."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import Parser, options, target

OPTIONS = (
    options.POLICY,
    options.PIN,
    options.VARY,
    options.RUNS,
    options.SEED,
    options.THREADS,
    options.STEPS,
    options.OUTPUTS,
    options.CONTROL,
    options.IN_PLACE,
    options.SHOW,
    options.JOBS,
    options.PYTHON,
    options.KEEP_GOING,
    options.TIMEOUT,
    options.CONTINUE,
    options.DIR,
    options.JSON,
)


def main(argv: Sequence[str]) -> int:
    """Runs the check and prints the verdict; returns the exit status."""
    own, words = target.split(argv, OPTIONS)
    arguments = _parser().parse_args(own)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.check_run import run

    return run(OPTIONS, arguments, words)


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
