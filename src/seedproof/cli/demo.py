"""`seedproof demo`: the reference experiment, with and without the options."""

from __future__ import annotations

from collections.abc import Sequence

from seedproof.cli import Parser, options
from seedproof.cli.options import Option, whole

_MANY = 1_000_000_000
DATASET = Option("dataset", "digits, mnist, fashion-mnist, FILE.npz or IMAGES,LABELS (digits)",
                 "DATA", default="digits")  # fmt: skip
FOLDS = Option("folds", "folds of the cross-validation (5)", "K", whole(2, _MANY), 5)
EPOCHS = Option("epochs", "epochs per fold (10)", "E", whole(1, _MANY), 10)
BATCH_SIZE = Option("batch-size", "images per step (100)", "B", whole(1, _MANY), 100)
SAMPLES = Option("samples", "only the first so many images", "N", whole(1, _MANY))
PAIRS = Option("pairs", "pairs of runs timed alone, for the cost (3; 0 for none)", "P",
               whole(0, 1000), 3)  # fmt: skip
FULL = Option("full", "the article's scale: MNIST, 10 runs of 10 folds", kind="flag", default=False)
RESULTS = Option("results", "where the article's text files go (results)", "DIR",
                 default="results")  # fmt: skip
OPTIONS = (
    DATASET,
    FOLDS,
    EPOCHS,
    BATCH_SIZE,
    SAMPLES,
    options.RUNS,
    PAIRS,
    FULL,
    options.SEED,
    options.THREADS,
    options.JOBS,
    options.TIMEOUT,
    options.CONTINUE,
    options.DIR,
    RESULTS,
    options.JSON,
)


def main(argv: Sequence[str]) -> int:
    """Runs the demo and prints its table; returns the exit status."""
    parser = Parser(
        prog="seedproof demo",
        description="The reference experiment: a cross-validation, with and without the options.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    settings = options.resolve(OPTIONS, parser.parse_args(argv))
    # What carries it out takes longer to load than the help should take to appear.
    from seedproof.cli.demo_run import run

    return run(settings)
