"""NumPy: the legacy global generator. Its threads are its BLAS's, pinned by variables."""

from __future__ import annotations

import numpy as np

from seedproof.frameworks.base import Done, Framework


class NumPy(Framework):
    """`np.random.default_rng()` without a seed takes one from the system: no switch reaches it."""

    name = "numpy"

    def version(self) -> str:
        return str(np.__version__)

    def pin_seeds(self, seed: int) -> Done:
        np.random.seed(seed)
        return Done(set=(f"numpy.random.seed({seed})",))


FRAMEWORK = NumPy()
