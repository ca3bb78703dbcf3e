"""What a run wrote, as it is kept in the run's directory."""

import json
import os
from collections.abc import Iterable

FILES_DIRECTORY = "files"
DELETED_FILE = "deleted.json"


def path_of(run: str, name: str = "") -> str:
    """Where the file that the run calls `name` is kept."""
    return os.path.join(run, FILES_DIRECTORY, name)


def stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file is written: its size, its times, and the file itself."""
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def tell(run: str, gone: Iterable[str]) -> None:
    """Names the files that are gone; what was written is there, and whole, when this is."""
    os.makedirs(path_of(run), exist_ok=True)
    with open(os.path.join(run, DELETED_FILE), "w") as file:
        json.dump(sorted(gone), file)
