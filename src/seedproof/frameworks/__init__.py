"""The frameworks that Seedproof knows, by the module whose import makes them present.

Nothing here imports a framework: a file of this folder does, and it is loaded only once the
user's code has imported that framework itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

KNOWN = {
    "sys": "seedproof.frameworks.python",
    "numpy": "seedproof.frameworks.numpy",
    "tensorflow": "seedproof.frameworks.tensorflow",
    "keras": "seedproof.frameworks.keras",
    "torch": "seedproof.frameworks.torch",
    "jax": "seedproof.frameworks.jax",
    "sklearn": "seedproof.frameworks.sklearn",
}


def load(location: str) -> Any:
    """The `Framework` defined in the module at `location`."""
    return import_module(location).FRAMEWORK
