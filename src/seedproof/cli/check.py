"""`seedproof check`: N runs, compared bit by bit."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import options, target

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
    arguments, words = target.parsed("check", "N runs, compared bit by bit.", OPTIONS, argv)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.check_run import run

    return run(OPTIONS, arguments, words)
