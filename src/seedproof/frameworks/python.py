"""Python itself: the module `random`, and the seed of string hashes."""

from __future__ import annotations

import os
import random
import sys
from typing import Any

from seedproof.frameworks.base import Done, Framework
from seedproof.inside.import_hook import undo_draws_of_imports
from seedproof.inside.machine import hash_seed


class Python(Framework):
    """Always there."""

    name = "python"

    def version(self) -> str:
        return ".".join(map(str, sys.version_info[:3]))

    def pin_seeds(self, seed: int) -> Done:
        random.seed(seed)
        undo_draws_of_imports()
        return Done(set=(f"random.seed({seed})",))

    def pin_hash_seed(self, seed: int) -> Done:
        """It is fixed before the interpreter starts; set here it reaches child processes alone."""
        if hash_seed() == str(seed):
            return Done(set=(f"PYTHONHASHSEED={seed}",))
        os.environ["PYTHONHASHSEED"] = str(seed)
        return Done(
            set=(f"PYTHONHASHSEED={seed} for child processes",), missed=(_hash_seed_missed(seed),)
        )

    def effective(self) -> dict[str, Any]:
        return {"hash_seed": hash_seed()}


def _hash_seed_missed(seed: int) -> str:
    return (
        f"the hash seed of this interpreter ({hash_seed()}): it is fixed before Python starts. "
        f"Start it as: PYTHONHASHSEED={seed} python …"
    )


FRAMEWORK = Python()
