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


class Framework:
    """A framework that the user's code has imported.

    A subclass has a method `pin_SOURCE(value) -> Done` for each source that it can pin inside a
    running process.
    """

    name = ""

    def version(self) -> str:
        """The version as the framework states it; empty where it has none of its own."""
        return ""

    def pin(self, source: str, value: Any) -> Done | None:
        """Pins `source`; None where this framework has no part in it."""
        method = getattr(self, "pin_" + source, None)
        return None if method is None else method(value)

    def effective(self) -> dict[str, Any]:
        """By source id, the value that is really in force; asked for when the process ends."""
        return {}

    def observe(self, recorder: Recorder) -> None:
        """Hooks the framework so that its training steps are recorded."""


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
