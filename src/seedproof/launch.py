"""The launch: an immutable description of how one process starts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Collection, Mapping

from seedproof.inside.machine import telling_variables

# They decide which code is loaded.
_WHERE_CODE_IS = ("PYTHONPATH", "VIRTUAL_ENV")

Value = Any
"""A source's value: a JSON scalar, as `Source.parse` returns it."""


@dataclass(frozen=True)
class Launch:
    """How one process starts. Pins and variations are functions from launch to launch.

    `environment` is the whole environment of the process; of its variables, `ours` are no part of
    what the script was given. `affinity` is the set of processors that it may use, None for all.
    `pins` are applied inside it, before the user's first line, and so are the variables of
    `inside_environment`. `varied` says which sources were varied and
    to which value. `scope` says how far the run goes and what of it is recorded; see
    `seedproof.inside.scope`. `view` is `shared` (the process works in the directory itself) or
    `private` (in a view of it that nobody else sees, and which is thrown away), or `moved` (in
    such a view that lies under another path). `collect` are the
    patterns of the files that are kept of a shared view; of a private one all are. `offers` are
    the variations that are made inside, as the pins are and before them; `first` is what the
    process does before it becomes the command, see `seedproof.runner.starter`.
    """

    command: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(default_factory=dict)
    ours: tuple[str, ...] = ()
    inside_environment: Mapping[str, str] = field(default_factory=dict)
    affinity: frozenset[int] | None = None
    pins: Mapping[str, Value] = field(default_factory=dict)
    varied: Mapping[str, Value] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    view: str = "shared"
    collect: tuple[str, ...] = ()
    offers: Mapping[str, Value] = field(default_factory=dict)
    first: Mapping[str, Value] = field(default_factory=dict)

    def with_environment(self, variables: Mapping[str, str]) -> Launch:
        """The process starts with these variables too."""
        return replace(self, environment={**self.environment, **variables})

    def with_our_environment(self, variables: Mapping[str, str]) -> Launch:
        """The process starts with these variables too, and its script need not know; it sees those
        that it would find without us, with another value."""
        ours = [name for name in variables if name not in self.environment]
        return replace(self.with_environment(variables), ours=(*self.ours, *ours))

    def without_environment(self, names: Collection[str]) -> Launch:
        """The process starts without these variables."""
        kept = {name: value for name, value in self.environment.items() if name not in names}
        return replace(self, environment=kept)

    def with_inside_environment(self, variables: Mapping[str, str]) -> Launch:
        """These variables are set inside, once the interpreter runs, before anything is loaded."""
        return replace(self, inside_environment={**self.inside_environment, **variables})

    def with_affinity(self, cores: frozenset[int]) -> Launch:
        """The process may use only these processors."""
        return replace(self, affinity=cores)

    def with_pin(self, source: str, value: Value) -> Launch:
        """`source` is pinned inside to `value`."""
        return replace(self, pins={**self.pins, source: value})

    def with_offer(self, source: str, value: Value) -> Launch:
        """Inside, `source` is varied to `value`."""
        return replace(self, offers={**self.offers, source: value})

    def without_offer(self, source: str) -> Launch:
        """Inside, `source` is not varied."""
        kept = {name: value for name, value in self.offers.items() if name != source}
        return replace(self, offers=kept)

    def with_first(self, **orders: Value) -> Launch:
        """The process does this first, before it becomes the command."""
        return replace(self, first={**self.first, **orders})

    def with_view(self, view: str) -> Launch:
        """The process works in the directory, or in such a view of it."""
        return replace(self, view=view)

    def with_varied(self, source: str, value: Value) -> Launch:
        """`source` was varied to `value`."""
        return replace(self, varied={**self.varied, source: value})

    def with_scope(self, **scope: Any) -> Launch:
        """The run goes only so far, or records only so much."""
        return replace(self, scope={**self.scope, **scope})

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
            "view": self.view,
            "collect": list(self.collect),
            "offers": dict(self.offers),
            "first": dict(self.first),
            **self.scope,
        }

    def _variables(self) -> dict[str, str]:
        code = {k: v for k, v in self.environment.items() if k in _WHERE_CODE_IS}
        return {**telling_variables(self.environment), **code}
