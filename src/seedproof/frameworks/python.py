"""Python itself: the module `random`, the seed of string hashes, and all of `inside.pins`."""

from __future__ import annotations

import os
import random
import sys
from typing import Any

from seedproof.frameworks.base import Done, Framework
from seedproof.inside.import_hook import undo_draws_of_imports
from seedproof.inside.machine import hash_seed

# Uses of these can be told without pinning them.
_NOTED = ("entropy", "file_order", "clock", "data_order", "load", "environment")


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

    def pin(self, source: str, value: Any) -> Done | None:
        return super().pin(source, value) or _act("pin", source, value)

    def vary(self, source: str, value: Any) -> Done | None:
        return _act("vary", source, value)

    def note(self) -> None:
        for source in _NOTED:
            _actor(source).note()

    def effective(self) -> dict[str, Any]:
        return {"hash_seed": hash_seed()}


def _actor(source: str) -> Any:
    from seedproof.inside.pins import actor

    return actor(source)


def _act(verb: str, source: str, value: Any) -> Done | None:
    act = getattr(_actor(source), verb, None)
    done: Done | None = None if act is None else act(value)
    return done


def _hash_seed_missed(seed: int) -> str:
    return (
        f"the hash seed of this interpreter ({hash_seed()}): it is fixed before Python starts. "
        f"Start it as: PYTHONHASHSEED={seed} python …"
    )


FRAMEWORK = Python()
