"""Whole checks of scripts, beside the same scripts run without us."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Command, environment
from seedproof.runner.base import FILES_DIRECTORY, STDERR_FILE, STDOUT_FILE

RECORD = """
import os, seedproof
for step in range(3):
    seedproof.record("weights", {value}, step=step, phase="update")
"""
STEADY = RECORD.format(value="step / 7")
DRAWN = RECORD.format(value="os.urandom(8)")


@dataclass(frozen=True)
class Left:
    """What one process, or one run of a check, left."""

    status: int | None
    out: bytes
    err: bytes


def alone(directory: Path, *command: str, stdin: bytes = b"", **variables: str) -> Left:
    """What a command does without us."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment(**variables),
        input=stdin,
        capture_output=True,
        timeout=120,
    )
    return Left(done.returncode, done.stdout, done.stderr)


def with_us(
    directory: Path, *arguments: str, stdin: bytes = b"", **variables: str
) -> dict[str, Any]:
    """The JSON of a check of two runs, which reads `stdin`."""
    options = ("--runs", "2", "--python", sys.executable, "--json", "-")
    command = (sys.executable, "-m", "seedproof", "check", *options, *arguments)
    done = alone(directory, *command, stdin=stdin, **variables)
    try:
        result: dict[str, Any] = json.loads(done.out)
    except ValueError:
        raise AssertionError(f"status {done.status}: {done.err.decode()}") from None
    assert result["exit"] == done.status
    return result


def runs_of(directory: Path, result: dict[str, Any], arm: int = 0) -> list[Left]:
    """What the runs of the last check left."""
    found = result["arms"][arm]
    places = [run_directory(directory, found["name"], run["index"]) for run in found["runs"]]
    return [
        Left(
            run["returncode"],
            (place / STDOUT_FILE).read_bytes(),
            (place / STDERR_FILE).read_bytes(),
        )
        for run, place in zip(found["runs"], places, strict=True)
    ]


def run_directory(directory: Path, arm: str = "as-is", index: int = 0) -> Path:
    """Where the last check keeps a run."""
    return max((directory / ".seedproof" / "checks").iterdir()) / arm / str(index)


def written(directory: Path, index: int = 0) -> dict[str, str]:
    """The files that a run of the last check wrote, by name."""
    top = run_directory(directory, index=index) / FILES_DIRECTORY
    return {path.name: path.read_text() for path in top.rglob("*") if path.is_file()}


def verdict_of(seedproof: Command, *arguments: str, **variables: str) -> str:
    """The verdict of a check of two runs."""
    return str(seedproof.check("--runs", "2", *arguments, **variables)["verdict"])
