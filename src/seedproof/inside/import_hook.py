"""Reacts once a module has been imported, without importing it and without being in the way.

The finder leaves the search to the others; it only wraps `exec_module` of the loader that they
found, for the few names that are watched, and takes the wrapper off before the module runs.
"""

from __future__ import annotations

import contextlib
import random
import sys
from typing import TYPE_CHECKING, Any, Callable, Iterator

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


def undo_draws_of_imports() -> None:
    """From now on, importing an installed package leaves the generator of `random` as it was.

    Some libraries draw from it while they are imported (to name their styles, say), so that a
    seed would mean one thing before their import and another after it. The user's own modules
    may draw as they like.
    """
    _finder().undo_draws = True


class _WatchingFinder:
    def __init__(self) -> None:
        self.undo_draws = False
        self.reactions: dict[str, list[Reaction]] = {}
        self._undoing = False

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        watched = name in self.reactions
        if not watched and (self._undoing or not self.undo_draws):
            return None
        spec = self._found_by_others(name, path, target)
        if spec is not None and (watched or _is_installed(spec)):
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
        run_module = getattr(loader, "exec_module", None)
        if run_module is None or isinstance(loader, type):
            return

        def exec_module(module: Any) -> None:
            del loader.exec_module
            with self._draws_undone():
                run_module(module)
            for react in self.reactions.pop(name, ()):
                react(name)

        loader.exec_module = exec_module

    @contextlib.contextmanager
    def _draws_undone(self) -> Iterator[None]:
        """Around the outermost import; what it imports in turn is covered with it."""
        if self._undoing or not self.undo_draws:
            yield
            return
        self._undoing = True
        drawn_so_far = random.getstate()
        try:
            yield
        finally:
            self._undoing = False
            random.setstate(drawn_so_far)


def _is_installed(spec: ModuleSpec) -> bool:
    return spec.origin is not None and (
        "site-packages" in spec.origin or "dist-packages" in spec.origin
    )
