"""JAX: its randomness is explicit, so what is left to pin is XLA, before its backend starts."""

from __future__ import annotations

import os
from typing import Any

import jax

from seedproof.frameworks.base import Done, Framework, add_xla_flag


class Jax(Framework):
    """XLA reads its flags and counts its processors once, when the first array is made."""

    name = "jax"

    def version(self) -> str:
        return str(jax.__version__)

    def pin_num_threads(self, threads: int) -> Done:
        """XLA on a CPU takes the size of its pool from NPROC, else from the visible cores."""
        os.environ["NPROC"] = str(threads)
        if _has_started():
            how = f"NPROC={threads} python …"
            return Done(missed=(_too_late("the threads of XLA", how),))
        return Done(set=(f"NPROC={threads}",))

    def pin_op_determinism(self, on: bool) -> Done:
        return _flag(f"--xla_gpu_deterministic_ops={str(on).lower()}")

    def pin_autotune(self, on: bool) -> Done:
        return Done() if on else _flag("--xla_gpu_autotune_level=0")


def _flag(flag: str) -> Done:
    if _has_started():
        how = f"XLA_FLAGS={flag} python …"
        return Done(missed=(_too_late("the XLA flag " + flag, how),))
    return add_xla_flag(flag)


def _has_started() -> bool:
    bridge: Any = getattr(getattr(jax, "_src", None), "xla_bridge", None)
    started = getattr(bridge, "backends_are_initialized", None)
    return bool(started is not None and started())


def _too_late(what: str, how: str) -> str:
    return f"{what}: JAX's backend has already started. Start it as: {how}"


FRAMEWORK = Jax()
