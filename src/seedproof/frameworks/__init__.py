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
    "tensorflow": "seedproof.frameworks.tensorflow.framework",
    "keras": "seedproof.frameworks.keras.framework",
    "torch": "seedproof.frameworks.torch.framework",
    "jax": "seedproof.frameworks.jax.framework",
    "sklearn": "seedproof.frameworks.sklearn.framework",
}


def load(location: str) -> Any:
    """The `Framework` defined in the module at `location`."""
    return import_module(location).FRAMEWORK
