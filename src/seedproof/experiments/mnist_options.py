"""The options of the reference experiment, and one line that answers each wrong one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seedproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DESCRIPTION = "The reference experiment: a small convolutional network, cross-validated on MNIST."
HIGHEST_SEED = 2**32 - 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the options")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the options, from the command line where `argv` is None, and check all but the data.

    Raises:
        UsageError: what was found, what is allowed, and an example.
    """
    options = _parser().parse_args(argv)
    if options.samples is not None:
        _check_sizes(options.samples, options.folds)
    return options


def count_samples(options: argparse.Namespace, available: int, title: str) -> int:
    """How many of the available images are asked for, checked against the data and the folds.

    Raises:
        UsageError: what was found, what is allowed, and an example.
    """
    samples: int = available if options.samples is None else options.samples
    if samples > available:
        raise UsageError(
            f"found --samples {samples}, allowed are the {available} images of {title}, "
            f"for example --samples {available}"
        )
    _check_sizes(samples, options.folds)
    return samples


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mnist_cv", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument(
        "--dataset",
        default="digits",
        help="digits, mnist, fashion-mnist, FILE.npz, or two IDX files IMAGES,LABELS (%(default)s)",
    )
    parser.add_argument(
        "--folds", type=_whole(2, example=10), default=10, help="at least 2 (%(default)s)"
    )
    parser.add_argument(
        "--epochs", type=_whole(1, example=10), default=10, help="of each fold (%(default)s)"
    )
    parser.add_argument(
        "--batch-size", type=_whole(1, example=100), default=100, help="images a step (%(default)s)"
    )
    parser.add_argument(
        "--samples", type=_whole(1, example=1000), help="only the first so many images (all)"
    )
    parser.add_argument(
        "--seed",
        type=_whole(0, HIGHEST_SEED, example=0),
        default=0,
        help="shuffles the folds, no more (0)",
    )
    parser.add_argument("--results", type=_writable, metavar="FILE", help="append the run to FILE")
    parser.add_argument("--no-predictions", action="store_true", help="do not record predictions")
    parser.add_argument(
        "--prepare", action="store_true", help="check the options, load the data, train nothing"
    )
    return parser


def _whole(lowest: int, highest: int | None = None, *, example: int) -> Callable[[str], int]:
    allowed = f"{lowest} or more" if highest is None else f"from {lowest} to {highest}"

    def whole_number(text: str) -> int:
        number = int(text) if text.isascii() and text.isdecimal() else -1
        if number < lowest or (highest is not None and number > highest):
            raise argparse.ArgumentTypeError(
                f"found {text!r}, allowed is a whole number, {allowed}, for example {example}"
            )
        return number

    return whole_number


def _writable(text: str) -> Path:
    path = Path(text)
    try:
        existing = next(place for place in (path, *path.absolute().parents) if place.exists())
        is_of_kind = not path.is_dir() if existing == path else existing.is_dir()
        if is_of_kind and os.access(existing, os.W_OK):
            return path
    except OSError:
        pass
    raise argparse.ArgumentTypeError(
        f"found {text!r}, which cannot be written, allowed is a file in a directory of yours, "
        "for example results.txt"
    )


def _check_sizes(samples: int, folds: int) -> None:
    example = f"--folds {samples // 2}" if samples >= 4 else "--samples 100 --folds 10"
    if folds > samples:
        raise UsageError(
            f"found {folds} folds for {samples} images, allowed is at most one for each image, "
            f"for example {example}"
        )
    smallest_training = samples - -(-samples // folds)
    if smallest_training < 2:
        raise UsageError(
            f"found {samples} images in {folds} folds, {smallest_training} of them to train on, "
            f"allowed is 2 or more, for example {example}"
        )
