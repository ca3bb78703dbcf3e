"""The environment: so many bytes more than the user's own."""

from __future__ import annotations

import os

from seedproof.frameworks.base import Done

PADDING = "_SEEDPROOF_PADDING"


def pin(size: int) -> Done:
    """Tells whether the process has them: nothing but the start can set them."""
    found = len(os.environ.get(PADDING, ""))
    if found == size:
        return Done(set=(f"an environment with {size} bytes more",))
    return Done(missed=(f"the environment: it has {found} bytes more, not {size}",))


vary = pin
