"""A result as a JSON file, or on standard output."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from seedproof.errors import UsageError
from seedproof.present.output import say


def write(content: dict[str, Any], destination: str) -> None:
    """Writes to a file, or to standard output for `-`; UsageError where that cannot be."""
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    if destination == "-":
        say(text)
        return
    try:
        Path(destination).write_text(text, "utf-8")
    except OSError as error:
        raise _unusable(destination, error.strerror) from None


def refuse_unwritable(destination: str) -> None:
    """UsageError where `write` would fail, said before any work; nothing is opened or made."""
    reason = "" if destination == "-" else _obstacle(Path(destination))
    if reason:
        raise _unusable(destination, reason)


def _obstacle(path: Path) -> str:
    try:
        if path.is_dir():
            return "it is a directory"
        if not path.parent.is_dir():
            return "its directory does not exist"
        may = os.access(path if path.exists() else path.parent, os.W_OK)
    except OSError as error:
        return error.strerror or str(error)
    return "" if may else "permission denied"


def _unusable(destination: str, reason: str | None) -> UsageError:
    return UsageError(f"--json {destination}: it cannot be written ({reason}); name a file, or -")
