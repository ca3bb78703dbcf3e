"""The launch: an immutable description of how one process starts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from seedproof.inside.machine import telling_variables

# They decide which code is loaded.
_WHERE_CODE_IS = ("PYTHONPATH", "VIRTUAL_ENV")

Value = Any
"""A source's value: a JSON scalar, as `Source.parse` returns it."""


@dataclass(frozen=True)
class Launch:
    """How one process starts. Pins and variations are functions from launch to launch.

    `environment` is the whole environment of the process. `affinity` is the set of processors
    that it may use, None for all. `pins` are applied inside it, before the user's first line,
    and so are the variables of `inside_environment`. `varied` says which sources were varied and
    to which value.
    """

    command: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(default_factory=dict)
    inside_environment: Mapping[str, str] = field(default_factory=dict)
    affinity: frozenset[int] | None = None
    pins: Mapping[str, Value] = field(default_factory=dict)
    varied: Mapping[str, Value] = field(default_factory=dict)

    def with_environment(self, variables: Mapping[str, str]) -> Launch:
        """The process starts with these variables too."""
        return replace(self, environment={**self.environment, **variables})

    def with_inside_environment(self, variables: Mapping[str, str]) -> Launch:
        """These variables are set inside, once the interpreter runs, before anything is loaded."""
        return replace(self, inside_environment={**self.inside_environment, **variables})

    def with_affinity(self, cores: frozenset[int]) -> Launch:
        """The process may use only these processors."""
        return replace(self, affinity=cores)

    def with_pin(self, source: str, value: Value) -> Launch:
        """`source` is pinned inside to `value`."""
        return replace(self, pins={**self.pins, source: value})

    def with_varied(self, source: str, value: Value) -> Launch:
        """`source` was varied to `value`."""
        return replace(self, varied={**self.varied, source: value})

    def to_json(self) -> dict[str, Any]:
        """What the run's directory keeps; of the environment only what can change results, never
        a secret."""
        return {
            "command": list(self.command),
            "directory": self.directory,
            "inside_environment": dict(self.inside_environment),
            "affinity": None if self.affinity is None else sorted(self.affinity),
            "pins": dict(self.pins),
            "varied": dict(self.varied),
            "variables": self._variables(),
        }

    def _variables(self) -> dict[str, str]:
        code = {k: v for k, v in self.environment.items() if k in _WHERE_CODE_IS}
        return {**telling_variables(self.environment), **code}
