"""`seedproof diff`: recorded runs, from anywhere, compared."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import Parser, options

OPTIONS = (options.OUTPUTS, options.JSON)


def main(argv: Sequence[str]) -> int:
    """Compares the runs and prints the verdict; returns the exit status."""
    parser = Parser(
        prog="seedproof diff",
        usage="seedproof diff [options] RUN_A RUN_B …",
        description="Recorded runs, from anywhere, compared; RUN_A is the reference. A RUN is a "
        "directory that seedproof run or check has kept.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    parser.add_argument("runs", nargs="*", metavar="RUN")
    arguments = parser.parse_args(argv)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.diff_run import run

    return run(options.resolve(OPTIONS, arguments), arguments.runs)
