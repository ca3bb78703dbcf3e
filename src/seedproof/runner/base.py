"""The face of a runner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from seedproof.inside.run_directory import VIEW_FILE as VIEW_FILE
from seedproof.launch import Launch
from seedproof.runner.private.written import DELETED_FILE as DELETED_FILE
from seedproof.runner.private.written import FILES_DIRECTORY as FILES_DIRECTORY

EXIT_FILE = "exit.json"
STDOUT_FILE = "stdout.log"
STDERR_FILE = "stderr.log"
IN_USE_FILE = "in-use"
GUARD_LOST = "guard lost"


@dataclass(frozen=True)
class Exit:
    """How a run ended.

    `returncode` is the process's own (minus the number of the signal that killed it), None where
    it could not be started. `seconds` is wall time from start to end, `cpu_seconds` the processor
    time of the process and of the children that it waited for. `stopped` says why we ended it
    (`timeout`, `diverged`, `interrupted`; `parent lost` or `guard lost` where one of our own
    processes was killed), None where it ended by itself. `trouble` says what kept it from
    starting. `ended` is the time of the end, in seconds since the epoch. `unkept` says why what
    it wrote could not be kept.
    """

    returncode: int | None
    seconds: float
    cpu_seconds: float
    stopped: str | None = None
    trouble: str | None = None
    ended: float = 0.0
    unkept: str | None = None

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Exit:
        """From the file that the guard wrote; raises KeyError, TypeError or ValueError."""
        return cls(
            returncode=None if fields["returncode"] is None else int(fields["returncode"]),
            seconds=float(fields["seconds"]),
            cpu_seconds=float(fields["cpu_seconds"]),
            stopped=fields.get("stopped"),
            trouble=fields.get("trouble"),
            ended=float(fields.get("ended", 0.0)),
            unkept=fields.get("unkept"),
        )


class Running(Protocol):
    """A launch that is being carried out."""

    def finished(self) -> Exit | None:
        """How it ended, or None while it runs."""

    def stop(self, reason: str) -> None:
        """Ends it and everything that it started; `finished` tells when that is done."""


class Runner(Protocol):
    """Carries out launches."""

    def start(self, launch: Launch, directory: Path) -> Running:
        """Starts `launch`; its output, exit and trace go to `directory`, which exists.

        Where its view is private, or `collect` names files, what it wrote is in `files/` there
        when it has finished, and `deleted.json` lists the files that are gone.
        """
