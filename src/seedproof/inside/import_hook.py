"""Reacts once a module has been imported, without importing it and without being in the way.

The finder leaves the search to the others; it only wraps `exec_module` of the loader that they
found, for the few names that are watched, and takes the wrapper off before the module runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

Reaction = Callable[[str], None]


def when_imported(name: str, react: Reaction) -> None:
    """Calls `react(name)` after the top-level module `name` is there: now, or once imported."""
    if name in sys.modules and not _is_being_imported(name):
        react(name)
    else:
        _finder().reactions.setdefault(name, []).append(react)


def _is_being_imported(name: str) -> bool:
    spec = getattr(sys.modules[name], "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _finder() -> _WatchingFinder:
    for finder in sys.meta_path:
        if isinstance(finder, _WatchingFinder):
            return finder
    made = _WatchingFinder()
    sys.meta_path.insert(0, made)
    return made


class _WatchingFinder:
    def __init__(self) -> None:
        self.reactions: dict[str, Any] = {}

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name not in self.reactions:
            return None
        spec = self._found_by_others(name, path, target)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._wrap(name, spec.loader)
        return spec

    def _found_by_others(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: ModuleSpec | None = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None

    def _wrap(self, name: str, loader: Any) -> None:
        run_module = loader.exec_module

        def exec_module(module: Any) -> None:
            del loader.exec_module
            run_module(module)
            for react in self.reactions.pop(name, ()):
                react(name)

        loader.exec_module = exec_module
