"""`seedproof explain`: where the runs part and what causes it."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import options, target
from seedproof.cli.options import Option

ALL = Option("all", "go on after the first cause, to the others", kind="flag", default=False)
OPTIONS = (
    options.POLICY,
    options.PIN,
    options.RUNS,
    ALL,
    options.SEED,
    options.THREADS,
    options.OUTPUTS,
    options.IN_PLACE,
    options.JOBS,
    options.PYTHON,
    options.TIMEOUT,
    options.DIR,
    options.JSON,
)


def main(argv: Sequence[str]) -> int:
    """Explains, and returns the exit status of the check that it began with."""
    description = (
        "Where the runs part, and what causes it: proved by pinning it and releasing it again."
    )
    arguments, words = target.parsed("explain", description, OPTIONS, argv)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.explain_run import run

    return run(OPTIONS, arguments, words)
