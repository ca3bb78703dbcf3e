"""Where runs are kept: a directory that ignores itself in git, and fresh places in it."""

from __future__ import annotations

import os
import time

RUNS = "runs"


def fresh_place(directory: str, kind: str) -> str:
    """A new directory under `directory/kind`, which nobody else has.

    Its name is the time in UTC, which does not jump, so that names sort by it. Raises OSError
    where it cannot be made.
    """
    parent = os.path.join(directory, kind)
    os.makedirs(parent, exist_ok=True)
    ignore = os.path.join(directory, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8") as file:
            file.write("*\n")
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(1000):
        path = os.path.join(parent, f"{stamp}-{number:03}" if number else stamp)
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        return path
    raise OSError(f"a thousand {kind} in one second in {parent}")
