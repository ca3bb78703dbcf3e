"""`seedproof run`: one recorded run."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import options, target

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
    description = (
        "One recorded run, in the working directory itself; its output is the target's own."
    )
    arguments, words = target.parsed("run", description, OPTIONS, argv)
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.run_run import run

    return run(OPTIONS, arguments, words)
