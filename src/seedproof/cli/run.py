"""`seedproof run`: one recorded run."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import Parser, options, target

OPTIONS = (
    options.POLICY,
    options.PIN,
    options.SEED,
    options.THREADS,
    options.STEPS,
    options.OUTPUTS,
    options.PYTHON,
    options.TIMEOUT,
    options.DIR,
    options.JSON,
)


def main(argv: Sequence[str]) -> int:
    """Carries out the run and says where it is kept; returns the exit status."""
    own, words = target.split(argv, OPTIONS)
    parser = Parser(
        prog="seedproof run",
        usage="seedproof run [options] TARGET",
        description="One recorded run, in the working directory itself; its output is the "
        "target's own. TARGET is script.py ARGS…, -m module ARGS…, or, after --, any command.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    arguments = parser.parse_args(own)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.run_run import run

    return run(OPTIONS, arguments, words)
