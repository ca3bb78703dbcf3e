"""Options that stand in `pyproject.toml`, under `[tool.seedproof]`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from seedproof.cli import did_you_mean
from seedproof.errors import UsageError

FILE = "pyproject.toml"


def table(known: Collection[str]) -> Mapping[str, Any]:
    """The table of the working directory's file, empty where there is none.

    UsageError where the file cannot be read, or has an option that is not in `known`.
    """
    if not Path(FILE).exists():
        return {}
    import tomllib  # most directories have no such file

    try:
        found = tomllib.loads(Path(FILE).read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{FILE}: it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{FILE}: it cannot be read as TOML: {error}") from None
    for key in ("tool", "seedproof"):
        found = found.get(key, {})
        if not isinstance(found, dict):
            raise UsageError(f"{FILE}: {key} is {found!r}; allowed is a table")
    for key in found:
        if key not in known:
            raise UsageError(f"{origin(key)}: no such option{did_you_mean(key, known)}")
    return found


def origin(key: str) -> str:
    """How an error names the place."""
    return f"tool.seedproof.{key} in {FILE}"
