"""Where private views can lie while their runs go on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def outside(directory: Path, runs: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Places outside of `directory`, as an overlay needs; those on the file system of `runs` come
    first, since in the end what was written is moved there. A place need not exist yet."""
    caches = _caches(environment) / "seedproof"
    found = [runs, caches, Path(tempfile.gettempdir()), directory.parent]
    apart = [place for place in map(Path.resolve, found) if not place.is_relative_to(directory)]
    usable = [place for place in dict.fromkeys(apart) if _may_write(_existing(place))]
    return sorted(usable, key=lambda place: _device(place) != _device(runs))


def nearest(directory: Path, found: Sequence[Path]) -> Path:
    """The first place on the file system of `directory`, else the first."""
    return min(found, key=lambda place: _device(place) != _device(directory))


def free_bytes(place: Path) -> int:
    """How much can be written there."""
    return shutil.disk_usage(_existing(place)).free


def _caches(environment: Mapping[str, str]) -> Path:
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path("~/.cache").expanduser()


def _device(place: Path) -> int:
    return _existing(place).stat().st_dev


def _may_write(place: Path) -> bool:
    return os.access(place, os.W_OK | os.X_OK)


def _existing(place: Path) -> Path:
    """The place itself, or the nearest directory above it that can be seen."""
    return next(path for path in (place, *place.parents) if os.access(path, os.F_OK))
