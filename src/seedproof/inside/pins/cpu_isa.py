"""The instruction sets that NumPy may use. Its variable names features that its build must know,
so it can only be set where that build is: here, before NumPy is imported."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec

from seedproof.frameworks.base import Done

VARIABLE = "NPY_DISABLE_CPU_FEATURES"
_AVX512 = ("AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL", "AVX512_ICL")
_AVX2 = ("FMA3", "AVX2")
# From the version on, what lies above each level, as that version calls it.
_ABOVE = (
    ((2, 4), {"sse4": ("X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR"),
              "avx2": ("X86_V4", "AVX512_ICL", "AVX512_SPR")}),
    ((2, 3), {"sse4": (*_AVX2, *_AVX512, "AVX512_SPR"), "avx2": (*_AVX512, "AVX512_SPR")}),
    ((1, 20), {"sse4": (*_AVX2, *_AVX512), "avx2": _AVX512}),
)  # fmt: skip


def pin(level: str) -> Done | None:
    """From now on NumPy, once it is imported, uses nothing above `level`."""
    if "numpy" in sys.modules:
        return Done(missed=(f"NumPy's instruction sets: start it as {VARIABLE}=… python …",))
    features = _features_above(level)
    if features:
        os.environ.setdefault(VARIABLE, " ".join(features))  # one of the user's own stays
    return None  # what NumPy made of it is told when it is there


vary = pin


def _features_above(level: str) -> tuple[str, ...]:
    version = _numpy_version()
    for since, by_level in _ABOVE:
        if version >= since:
            return by_level.get(level, ())
    return ()


def _numpy_version() -> tuple[int, ...]:
    """The version that would be imported, from the name of its metadata; empty without NumPy."""
    spec = find_spec("numpy")
    place = os.path.dirname(os.path.dirname(spec.origin)) if spec and spec.origin else ""
    for name in os.listdir(place) if place else ():
        found = re.match(r"numpy-(\d+)\.(\d+).*\.(dist|egg)-info$", name)
        if found:
            return int(found[1]), int(found[2])
    return ()
