"""The stream of this process: opened at once, or with its first record.

Most of a run's processes record nothing (launchers, helpers, workers that load data), and leave
no stream. What they have to say before the first record is kept back until then.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Sequence

from seedproof.inside import our_variables, roles
from seedproof.trace.format import EVENTS_FILE
from seedproof.trace.writer import StreamWriter

if TYPE_CHECKING:
    from seedproof.trace.format import Column
    from seedproof.trace.writer import TableWriter

_TELLING = ("trouble", "unseen")  # events that must not wait for a record that may never come


class ProcessStream:
    """As a `StreamWriter`, once there is something to write; `hello` gives its first event."""

    def __init__(self, trace: str, hello: Callable[[], dict[str, Any]]) -> None:
        self._trace = trace
        self._hello = hello
        self._writer: StreamWriter | None = None
        self._kept_back: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.RLock()
        self._role = ""
        self._identity: tuple[int, ...] = ()
        self._forks = 0
        self._fork: int | None = None

    @property
    def role(self) -> str:
        """The role of this process; of a child it is known once `multiprocessing` has told it."""
        identity = roles.worker_identity()
        if identity != self._identity:
            return roles.of_worker(self._role, identity)
        return self._role if self._fork is None else f"{self._role}/fork{self._fork}"

    def settle(self) -> None:
        """Takes the role of this process: a rank and the run's first process open at once."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._count_fork)
        if not self._opened_as_rank() and not self._opened_as_main():
            if roles.starts_as_worker():
                self._role = roles.parent_role() or roles.MAIN
                return  # what it starts in turn has the same forebears
            self._role = roles.of_script()
        our_variables.put(roles.ROLE_VARIABLE, self._role)

    def _count_fork(self) -> None:
        self._forks += 1

    def _opened_as_rank(self) -> bool:
        rank = roles.rank()
        return rank is not None and self._opened(f"rank{rank.number}", world_size=rank.of)

    def _opened_as_main(self) -> bool:
        return roles.parent_role() == "" and self._opened(roles.MAIN)

    def _opened(self, role: str, **hello: Any) -> bool:
        try:
            self._open(role, **hello)
        except FileExistsError:
            return False
        self._role = role
        return True

    def _open(self, role: str, **hello: Any) -> StreamWriter:
        self._writer = StreamWriter(os.path.join(self._trace, *role.split("/")))
        self._writer.event("hello", role=role, **self._hello(), **hello)
        for kind, fields in self._kept_back:
            self._writer.event(kind, **fields)
        self._kept_back = []
        return self._writer

    def _open_late(self) -> StreamWriter:
        """Under the role of this process or, where it is taken, with a number: in order where the
        others have ended, ambiguous where one still runs."""
        with self._lock:
            if self._writer is not None:
                return self._writer
            role, ambiguous = self.role, False
            for number in range(1 << 20):
                name = f"{role}#{number}" if number else role
                try:
                    writer = self._open(name)
                except FileExistsError:
                    ambiguous = ambiguous or not self._has_ended(name)
                    continue
                if ambiguous:
                    writer.event("ambiguous")
                return writer
            raise OSError(f"too many processes are {role}")

    def _has_ended(self, role: str) -> bool:
        with open(os.path.join(self._trace, *role.split("/"), EVENTS_FILE), "rb") as file:
            return b'{"event": "end"' in file.read()

    def other_ranks_ended(self) -> bool:
        """Whether every rank that has a stream has written its end."""
        ranks = [name for name in os.listdir(self._trace) if name.startswith("rank")]
        return all(map(self._has_ended, ranks))

    # -- the face of a writer ------------------------------------------------------------------

    def event(self, kind: str, **fields: Any) -> None:
        """One event; kept back while there is no record."""
        with self._lock:
            if self._writer is None and (kind in _TELLING or self._tells_of_use(kind)):
                self._open_late()
            if self._writer is None:
                self._kept_back.append((kind, fields))
            else:
                self._writer.event(kind, **fields)

    def _tells_of_use(self, kind: str) -> bool:
        """Workers that load data record nothing, and yet use sources; a stream without a record
        changes no verdict, since it is never asked whether a worker's came to its end."""
        return kind == "used" and any(part in self.role for part in ("/worker", "/fork"))

    def table(self, key: str, columns: Sequence[Column]) -> TableWriter:
        """The table named `key`."""
        return self._open_late().table(key, columns)

    def keep(self, name: str, phase: str, step: int, dtype: str, shape: Any, data: bytes) -> None:
        """Keeps the raw bits of an array."""
        self._open_late().keep(name, phase, step, dtype, shape, data)

    def watermark(self, steps: int) -> None:
        """Says how many steps have been written."""
        if self._writer is not None:
            self._writer.watermark(steps)

    def abandon(self) -> None:
        """In a forked child: from here on the stream is its own."""
        if self._writer is not None:
            self._writer.abandon()
        self._role, self._identity = self.role, roles.worker_identity()
        self._fork, self._forks = self._forks - 1, 0
        self._writer, self._kept_back = None, []
        self._lock = threading.RLock()
