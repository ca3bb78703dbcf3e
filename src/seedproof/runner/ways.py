"""The ways to a private view of a directory, in the order of preference.

An overlay, or a copy, mounted over the same path in a mount namespace of the run's own; else a
copy under another path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from seedproof.runner import places
from seedproof.runner.private import calls
from seedproof.runner.private.copies import environments_below
from seedproof.runner.survey import MOST_FILES, Survey, survey

Namespace = Literal["mount", "user"]
NAMESPACES: tuple[Namespace, ...] = ("mount", "user")
MOST_BYTES = 2 << 30
# A copy of so little takes no time, and behaves in everything as the directory does.
_SMALL_FILES, _SMALL_BYTES = 2_000, 64 << 20
# The first that the kernel takes; older ones lack some.
_OPTIONS = {
    "mount": (
        "redirect_dir=on,index=on,metacopy=off,xino=auto,volatile",
        "redirect_dir=on,metacopy=off",
        "",
    ),
    "user": ("userxattr,index=on,metacopy=off,xino=auto,volatile", "userxattr"),
}
_LIMITS = (
    "in the view of a run, a directory that was there before cannot be renamed (OSError 18, "
    "Invalid cross-device link), and hard links made before part once one of them is written"
)


@dataclass(frozen=True)
class ViewPlan:
    """How every run gets its view of `directory`.

    `way` is `overlay` or `copy`. `namespace` says in what the view is mounted over the same path:
    `mount` where this process may mount, `user` where a user namespace lets it; without one the
    run starts in the copy, under another path. Views lie in `place` while their runs go on.
    `hidden` is the directory with all runs, where it lies in `directory`: a run sees nothing of it
    but its own. `shared` are the paths in `directory` that are not private. `notes` is what a
    person must know of it, one sentence each.
    """

    directory: str
    way: Literal["overlay", "copy"]
    namespace: Namespace | None
    place: str
    options: str = ""
    hidden: str | None = None
    shared: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether a run works under another path than it would alone."""
        return self.namespace is None

    def to_json(self) -> dict[str, Any]:
        """What the guard needs of it."""
        fields = ("directory", "way", "namespace", "place", "options", "hidden", "shared")
        return {name: getattr(self, name) for name in fields}


class Ways:
    """The plans to try, best first."""

    def __init__(self, directory: Path, runs: Path, namespaces: Sequence[Namespace]) -> None:
        self.directory = directory
        self.runs = runs
        self._namespaces = namespaces
        self._outside = places.outside(directory, runs)
        self._hidden = str(runs) if runs.is_relative_to(directory) else None
        mounts = calls.mounted_below(str(directory))
        self._mounts = tuple(path for path in mounts if not Path(path).is_relative_to(runs))

    @property
    def places(self) -> set[Path]:
        """Where a view can lie."""
        return {self.runs, *self._outside}

    @property
    def copying(self) -> tuple[Path, Path]:
        """From where to where a copy would be made."""
        return self.directory, self._place_of_copies

    def at_once(self) -> list[ViewPlan]:
        """What needs no look at all of the directory."""
        return list(self._overlays("mount"))

    def after_a_survey(self, shares_blocks: bool) -> list[ViewPlan]:
        """All others. Copies that share their blocks with the directory may have any size."""
        found, fits = self._found, not self.too_large(shares_blocks)
        small = found.files <= _SMALL_FILES and found.bytes <= _SMALL_BYTES
        copies, overlays = list(self._copies()), list(self._overlays("user"))
        plans = copies[:-1] if small else []
        plans += [] if found.foreign else overlays
        plans += copies[:-1] if fits else []
        plans += [_with_note(plan, self._foreign()) for plan in overlays if found.foreign]
        return plans + (copies[-1:] if fits else [])

    def too_large(self, shares_blocks: bool) -> list[str]:
        """Why it cannot be copied, if it cannot."""
        files, size = self._found.files, self._found.bytes
        room = min(MOST_BYTES, places.free_bytes(self._place_of_copies))
        if files <= MOST_FILES and (shares_blocks or size <= room):
            return []
        found = f"{files:,} files, {size:,} bytes; at most {MOST_FILES:,} and {room:,}"
        return [f"it is too large to be copied: {found}"]

    @cached_property
    def _found(self) -> Survey:
        return survey(str(self.directory), {*self._apart, *self._shared_by_copies})

    @property
    def _apart(self) -> set[str]:
        return {str(self.runs)}

    @cached_property
    def _shared_by_copies(self) -> tuple[str, ...]:
        return *self._mounts, *environments_below(str(self.directory), self._mounts)

    @cached_property
    def _place_of_copies(self) -> Path:
        """On the file system of the directory, where blocks can be shared."""
        return places.nearest(self.directory, [self.runs, *self._outside])

    def _overlays(self, namespace: Namespace) -> Iterator[ViewPlan]:
        if namespace not in self._namespaces:
            return
        for options in _OPTIONS[namespace]:
            for place in self._outside:
                plan = self._plan("overlay", namespace, place, self._mounts)
                plan = replace(plan, options=options)
                yield plan if "redirect_dir" in options else _with_note(plan, _LIMITS)

    def _copies(self) -> Iterator[ViewPlan]:
        """Mounted over the same path, and at last under another one."""
        for namespace in (*self._namespaces, None):
            yield self._plan("copy", namespace, self._place_of_copies, self._shared_by_copies)

    def _plan(
        self,
        way: Literal["overlay", "copy"],
        namespace: Namespace | None,
        place: Path,
        shared: tuple[str, ...],
    ) -> ViewPlan:
        plan = ViewPlan(str(self.directory), way, namespace, str(place), "", self._hidden, shared)
        for path in shared:
            plan = _with_note(plan, f"{path} is not private: what runs write there stays")
        if namespace is None:
            plan = _with_note(
                plan, "each run starts in a copy of the directory, under another path"
            )
        return plan

    def _foreign(self) -> str:
        return (
            "files of another user or group cannot be changed in the view, such as "
            f"{self._found.foreign}"
        )


def _with_note(plan: ViewPlan, note: str) -> ViewPlan:
    return replace(plan, notes=(*plan.notes, note))
