"""The directory itself as the place where a run works: files written there are looked for.

Only what matches the patterns of `collect` is looked at, and copied to the run's directory.
"""

import os
from pathlib import Path
from typing import Any

from seedproof.compare.files.directory import matches
from seedproof.compare.files.globs import parse
from seedproof.runner.private import trees
from seedproof.runner.private.written import path_of, stamp, tell


class InPlace:
    """As a view is, for the guard, without being one."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._directory = order["directory"]
        self._run = order["run"]
        self._patterns = parse(order["collect"])
        self._before = {name: stamp(os.stat(path)) for name, path in self._files().items()}

    def enter(self) -> None:
        """There is nothing to enter."""

    def keep(self) -> None:
        """Copies what was written to the run's directory."""
        found = self._files()
        for name, path in found.items():
            if stamp(os.stat(path)) != self._before.get(name):
                trees.copy(path, path_of(self._run, name))
        tell(self._run, self._before.keys() - found.keys())

    def remove(self) -> None:
        """There is nothing to remove."""

    def _files(self) -> dict[str, str]:
        found = matches(Path(self._directory), self._patterns).files
        return {name: str(path) for name, path in found.items()}
