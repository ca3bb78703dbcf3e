"""Where this user's downloads are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOOSE_ANOTHER = "set SEEDPROOF_CACHE to a directory that can be written"


def cache_directory(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where downloads are kept: SEEDPROOF_CACHE, else where the platform keeps caches.

    Raises:
        UsageError: there is neither such a variable nor a home directory.
    """
    chosen = environ.get("SEEDPROOF_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return _platform_caches(environ, platform) / "seedproof"


def _platform_caches(environ: Mapping[str, str], platform: str) -> Path:
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local) if local else _home() / "AppData" / "Local"
    if platform == "darwin":
        return _home() / "Library" / "Caches"
    chosen = Path(environ.get("XDG_CACHE_HOME", ""))
    return chosen if chosen.is_absolute() else _home() / ".cache"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise UsageError(
            f"this user has no home directory to keep downloads in; {CHOOSE_ANOTHER}"
        ) from None
