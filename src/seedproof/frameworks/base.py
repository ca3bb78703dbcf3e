"""The face that every framework shows to the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Done(NamedTuple):
    """What a pin did in this process.

    `set` lists what now holds, as the calls or variables that a person would look up. `missed`
    lists what can no longer be set here, each with the way that works.
    """

    set: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


# What XLA calls the levels of instruction sets.
XLA_LEVELS = {"sse4": "SSE4_2", "avx2": "AVX2", "avx512": "AVX512"}

# What is varied with the same switch that pins it.
_SWITCHES = ("autotune", "cpu_isa", "data_order", "entropy", "file_order", "op_determinism")


class Framework:
    """A framework that the user's code has imported.

    A subclass has a method `pin_SOURCE(value) -> Done` for each source that it can pin inside a
    running process, and `vary_SOURCE(value) -> Done` where it varies it in another way.
    """

    name = ""

    def version(self) -> str:
        """The version as the framework states it; empty where it has none of its own."""
        return ""

    def pin(self, source: str, value: Any) -> Done | None:
        """Pins `source`; None where this framework has no part in it."""
        method = getattr(self, "pin_" + source, None)
        return None if method is None else method(value)

    def vary(self, source: str, value: Any) -> Done | None:
        """Makes the machine offer `value`, or tells whether it does; None where this framework has
        no part in it. `set` is empty where the variation does not reach the framework."""
        method = getattr(self, "vary_" + source, None)
        if method is None:
            return self.pin(source, value) if source in _SWITCHES else None
        done: Done | None = method(value)
        return done

    def effective(self) -> dict[str, Any]:
        """By source id, the value that is really in force; asked for when the process ends."""
        return {}

    def note(self) -> None:
        """From now on, each line of the user's that uses a source through this framework is
        told."""

    def observe(self, recorder: Recorder) -> None:
        """Hooks the framework so that its training steps are recorded."""


def has_gpu() -> bool:
    """Whether a driver of NVIDIA or AMD is loaded."""
    return any(os.access(device, os.F_OK) for device in ("/dev/nvidiactl", "/dev/kfd"))


def add_xla_flag(flag: str) -> Done:
    """Adds a flag to XLA_FLAGS, which XLA reads when its backend starts; the user's own stay."""
    flags = os.environ.get("XLA_FLAGS", "")
    name = flag.partition("=")[0]
    own = [word for word in flags.split() if word.partition("=")[0] == name]
    if own and own != [flag]:
        return Done(missed=(f"{flag}: XLA_FLAGS in the environment says {own[-1]}; unset it",))
    if not own:
        os.environ["XLA_FLAGS"] = (flags + " " + flag).strip()
    return Done(set=("XLA_FLAGS " + flag,))
