"""What stands in memory that nobody has written yet, where the C library hands it out (glibc)."""

from __future__ import annotations

import ctypes

from seedproof.frameworks.base import Done
from seedproof.inside.machine import variable_at_start

FRAMEWORKS = "frameworks"
VARIABLE = "MALLOC_PERTURB_"
_M_PERTURB = -6
_ALL_BITS = 0xFF


def perturbing(byte: int) -> int:
    """The value of the variable that fills what is handed out with `byte`, from 0 to 254."""
    return byte ^ _ALL_BITS


def pin(filled: object) -> Done | None:
    """Fills it with that byte; where the frameworks' own filling is asked for, does nothing."""
    if not isinstance(filled, int):
        return None
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or not mallopt(_M_PERTURB, perturbing(filled)):
        return Done(missed=("fresh memory: this system's C library does not fill it",))
    return Done(set=(f"fresh memory is filled with the byte {filled}",))


def vary(filled: object) -> Done | None:
    """Tells whether it is filled so."""
    if not isinstance(filled, int):
        return None
    set_so = variable_at_start(VARIABLE) == str(perturbing(filled))
    if set_so and hasattr(ctypes.CDLL(None), "mallopt"):
        return Done(set=(f"fresh memory is filled with the byte {filled}",))
    return Done(missed=("fresh memory: this system's C library does not fill it",))
