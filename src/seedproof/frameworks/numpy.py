"""NumPy: its generators and its kernels. Its threads are its BLAS's, pinned by variables."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from seedproof.frameworks.base import Done, Framework

# From above: the feature that each level requires, as NumPy calls it from 2.4 on and before.
_LEVELS = (("avx512", "X86_V4", "AVX512_SKX"), ("avx2", "X86_V3", "FMA3"))


class NumPy(Framework):
    """What is seeded, and what takes a seed from the system where it is given none."""

    name = "numpy"

    def version(self) -> str:
        return str(np.__version__)

    def pin_seeds(self, seed: int) -> Done:
        np.random.seed(seed)
        return Done(set=(f"numpy.random.seed({seed})",))

    def pin_entropy(self, seed: int) -> Done:
        """Also of generators that a library makes on behalf of the user's code: a generator's seed
        is no secret."""
        from seedproof.inside.pins import once_imported

        once_imported("numpy.random.bit_generator", _replace_randbits)
        return Done(set=(f"numpy.random.default_rng() and RandomState() from {seed}",))

    def pin_cpu_isa(self, level: str) -> Done:
        """The variable that NumPy reads when it is imported has been set; tells what came of it."""
        found = instruction_level()
        if found in (level, ""):
            return Done(set=(f"NumPy's kernels for {level}",) if found else ())
        return Done(missed=(f"NumPy's kernels: they are for {found}, not for {level}",))

    def effective(self) -> dict[str, Any]:
        found = instruction_level()
        return {"cpu_isa": found} if found else {}


def instruction_level() -> str:
    """The highest level whose kernels NumPy uses; empty where that cannot be told."""
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get(
        "numpy.core._multiarray_umath"
    )
    features: dict[str, bool] = getattr(core, "__cpu_features__", {})
    if not features.get("SSE3"):
        return ""
    for level, name, former_name in _LEVELS:
        if features.get(name, features.get(former_name)):
            return level
    return "sse4"


def _replace_randbits(seeding: Any) -> None:
    """`SeedSequence` asks this function where it is given nothing."""
    from seedproof.inside.pins import entropy

    original = getattr(seeding, "randbits", None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    def randbits(k: int) -> int:
        found = entropy.number(k, "numpy")
        return int(original(k)) if found is None else found

    randbits.__wrapped__ = original  # type: ignore[attr-defined]
    seeding.randbits = randbits


FRAMEWORK = NumPy()
