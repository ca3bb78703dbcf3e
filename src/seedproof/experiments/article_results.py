"""The article's text file, written: a time stamp, then one line per fold, run after run.

Runs inside the user's interpreter: Python 3.8, standard library only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from datetime import datetime

STAMP_FORMAT = "%Y%m%d-%H%M%S"


def append_run(
    path: str | os.PathLike[str], stamp: datetime, rows: Iterable[tuple[int, float, float]]
) -> None:
    """Append one finished run, so that runs side by side never interleave their lines.

    Args:
        path: the text file; it and its directory are created if they do not exist.
        stamp: the local time of the run, written to the second.
        rows: (fold, loss, accuracy), the folds in order from 0; nan and inf are written as such.

    Raises:
        ValueError: there are no rows; the file would become unreadable.
        OSError: the file cannot be written, or not all of the run fits on the disk.
    """
    block = _block(stamp, rows)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Unbuffered, in append mode: the whole run reaches the file in a single system call.
    with target.open("ab", buffering=0) as file:
        written = file.write(block)
    if written != len(block):
        raise OSError(f"{target}: only {written} of {len(block)} bytes could be written")


def _block(stamp: datetime, rows: Iterable[tuple[int, float, float]]) -> bytes:
    # float() turns NumPy's scalars, whose repr names their type, into plain numbers.
    lines = [f"{int(fold)} {float(loss)!r} {float(accuracy)!r}" for fold, loss, accuracy in rows]
    if not lines:
        raise ValueError("a run without folds has nothing to write")
    return "\n".join([stamp.strftime(STAMP_FORMAT), *lines, ""]).encode("ascii")
