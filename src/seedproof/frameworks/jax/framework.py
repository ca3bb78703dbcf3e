"""JAX: its randomness is explicit, so what is left to pin is XLA, before its backend starts.

What it trains is seen from outside, at the calls of compiled functions; see `calls`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import jax

from seedproof.frameworks.base import XLA_LEVELS, Done, Framework, add_xla_flag, has_gpu

if TYPE_CHECKING:
    from seedproof.frameworks.jax.calls import Calls
    from seedproof.inside.recorder import Recorder


class Jax(Framework):
    """XLA reads its flags and counts its processors once, when the first array is made."""

    name = "jax"
    calls: Calls | None = None

    def version(self) -> str:
        return str(jax.__version__)

    def observe(self, recorder: Recorder) -> None:
        from seedproof.frameworks.jax import calls as jax_calls
        from seedproof.frameworks.jax import transforms as jax_transforms

        self.calls = jax_calls.Calls(recorder)
        jax_transforms.observe(self.calls)

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

    def vary_op_determinism(self, on: bool) -> Done:
        return (
            self.pin_op_determinism(on) if has_gpu() else _only_on_gpu("deterministic operations")
        )

    def vary_autotune(self, on: bool) -> Done:
        return self.pin_autotune(on) if has_gpu() else _only_on_gpu("autotuning")

    def pin_cpu_isa(self, level: str) -> Done:
        return _flag("--xla_cpu_max_isa=" + XLA_LEVELS[level])


def _flag(flag: str) -> Done:
    if _has_started():
        how = f"XLA_FLAGS={flag} python …"
        return Done(missed=(_too_late("the XLA flag " + flag, how),))
    return add_xla_flag(flag)


def _only_on_gpu(what: str) -> Done:
    return Done(missed=(f"{what} of XLA: on a CPU there is nothing to choose",))


def _has_started() -> bool:
    bridge: Any = getattr(getattr(jax, "_src", None), "xla_bridge", None)
    started = getattr(bridge, "backends_are_initialized", None)
    return bool(started is not None and started())


def _too_late(what: str, how: str) -> str:
    return f"{what}: JAX's backend has already started. Start it as: {how}"


FRAMEWORK = Jax()
