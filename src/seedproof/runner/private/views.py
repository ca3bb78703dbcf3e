"""The private views of a directory: an overlay, or a copy.

A view is made before the process starts, entered by the process itself before its program
begins, and at the end it gives what was written in it to the run's directory.
"""

import contextlib
import os
from typing import Any

from seedproof.runner.private import calls, trees, upper_layer
from seedproof.runner.private.copies import Copy
from seedproof.runner.private.scratch import TREE, Scratch
from seedproof.runner.private.written import path_of, stamp, tell


class _View:
    """What both kinds of private views share: how they are entered."""

    def __init__(self, order: dict[str, Any], scratch: Scratch) -> None:
        view = order["view"]
        self._directory: str = view["directory"]
        self._namespace: str | None = view["namespace"]
        self._hidden: str | None = view["hidden"]
        self._shared: list[str] = view["shared"]
        self._run: str = order["run"]
        self.scratch = scratch

    def enter(self) -> None:
        """Gives this process the view, at the same path as the directory, and goes there."""
        if self._namespace is None:
            return
        calls.own_mounts(user=self._namespace == "user")
        behind = self._behind()
        self._cover()
        for path, descriptor in behind.items():
            calls.bind(descriptor, path)
        os.chdir(self._directory)

    def _cover(self) -> None:
        raise NotImplementedError

    def remove(self) -> None:
        """Leaves nothing of it."""
        self.scratch.remove()

    def _behind(self) -> dict[str, int]:
        """What is to be seen through the view, opened before it covers them. Of the directory
        that holds the runs only the run's own is: the others change while this one goes on."""
        found = {}
        if self._hidden is not None:
            (instead,) = self.scratch.make("runs")
            own = os.path.join(instead, os.path.relpath(self._run, self._hidden))
            os.makedirs(own, exist_ok=True)
            found[self._hidden] = os.open(instead, os.O_PATH)
            found[self._run] = os.open(self._run, os.O_PATH)
        for path in self._shared:
            with contextlib.suppress(OSError):  # no longer there
                found[path] = os.open(path, os.O_PATH)
        return found


class Overlay(_View):
    """A layer of its own over the directory: only what is written is copied."""

    def __init__(self, order: dict[str, Any], scratch: Scratch) -> None:
        super().__init__(order, scratch)
        self._options = ["lowerdir=lower", "upperdir=upper", "workdir=work"]
        self._options += filter(None, [order["view"]["options"]])
        self.layer, _ = self.scratch.make("upper", "work")
        trees.like(self.layer, os.stat(self._directory))
        # By links and from inside, since commas and colons in paths would part the options.
        os.symlink(self._directory, os.path.join(self.scratch.path, "lower"))

    def _cover(self) -> None:
        os.chdir(self.scratch.path)
        flags = os.statvfs(self._directory).f_flag & (
            os.ST_RDONLY | os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC
        )
        calls.mount_overlay(self._directory, ",".join(self._options), flags)

    def keep(self) -> None:
        """Moves what was written to the run's directory."""
        files = path_of(self._run)
        tell(self._run, upper_layer.gather(self.layer, self._directory, files))


class Copied(_View):
    """A copy of the directory, shown at its path where the system lets us, else at its own."""

    def __init__(self, order: dict[str, Any], scratch: Scratch, filled: bool) -> None:
        super().__init__(order, scratch)
        (self.layer,) = self.scratch.make(TREE)
        if self._namespace and self._hidden:
            os.makedirs(os.path.join(self.layer, os.path.relpath(self._hidden, self._directory)))
        if filled:
            self._fill(order["view"]["place"])
        files = trees.files_below(self.layer)
        self._before = {name: stamp(found) for name, found in files}

    def _fill(self, place: str) -> None:
        apart = {self.scratch.path, self._hidden or place}
        linked = self._namespace is None
        Copy(self._directory, self.layer, apart, self._shared, linked)

    def _cover(self) -> None:
        calls.bind(os.open(self.layer, os.O_PATH), self._directory)

    def keep(self) -> None:
        """Moves what was written to the run's directory."""
        left = dict(trees.files_below(self.layer, ours=True))
        for name, found in left.items():
            if stamp(found) != self._before.get(name):
                trees.move(os.path.join(self.layer, name), path_of(self._run, name))
        tell(self._run, self._before.keys() - left.keys())


View = Overlay | Copied


def view(order: dict[str, Any], *, filled: bool = True) -> View:
    """The view that an order asks for; a copy may be left empty, to try it out. Raises OSError
    where it cannot be made."""
    asked = order["view"]
    scratch = Scratch(asked["place"], asked["name"])
    try:
        if asked["way"] == "overlay":
            return Overlay(order, scratch)
        return Copied(order, scratch, filled)
    except OSError:
        scratch.remove()
        raise
