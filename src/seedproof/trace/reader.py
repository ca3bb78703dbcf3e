"""Reads the trace of a run, all its streams, while it is being written, or long after.

A stream is named by the role of its process: `main` is the script's own, `rankN` one that a
launcher has started, and below them stand their children (`main/worker1`). New ones may come as
long as the run goes on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from seedproof.trace.finder import StreamFinder
from seedproof.trace.format import MAIN_STREAM, OTHERS_FILE
from seedproof.trace.stream import Stream, Table, TraceDamagedError

__all__ = ["Stream", "Table", "Trace", "TraceDamagedError", "main_stream", "role_order"]

_RANK = re.compile(r"rank(0|[1-9][0-9]{0,8})")
_NUMBERED = re.compile(r"#[0-9]+$")
_DIGITS = re.compile(r"([0-9]+)")


class Trace:
    """The streams of a run, by role and in the order of roles; `refresh` takes in what is new."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.streams: dict[str, Stream] = {}
        self._finder = StreamFinder(directory)

    def refresh(self) -> None:
        """Finds new streams and reads new events; raises TraceDamagedError for what is no trace."""
        found = self._finder.new()
        if found:
            self.streams.update((role, Stream(self.directory / role)) for role in found)
            self.streams = dict(sorted(self.streams.items(), key=lambda item: role_order(item[0])))
        for stream in self.streams.values():
            stream.refresh()

    @property
    def main(self) -> Stream:
        """The stream of the script's own process, else the first that there is; an empty one as
        long as there is none."""
        own = self.streams.get(MAIN_STREAM) or next(iter(self.streams.values()), None)
        return own or main_stream(self.directory)

    @property
    def hello(self) -> dict[str, Any] | None:
        """How the recording of the script's own process began, None where it did not."""
        return self.main.hello

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, of all streams in the order of roles."""
        return [event for stream in self.streams.values() for event in stream.all(kind)]

    def others(self) -> bool:
        """Whether a process used a framework without being recorded, as older recordings note."""
        return (self.directory / OTHERS_FILE).exists()

    # -- ranks, and what else trains -----------------------------------------------------------

    @property
    def ranks(self) -> dict[int, Stream]:
        """The streams of the ranks by their numbers."""
        found = ((_RANK.fullmatch(role), stream) for role, stream in self.streams.items())
        return {int(name[1]): stream for name, stream in found if name}

    def missing_rank(self) -> tuple[int, int] | None:
        """The first rank without a stream and how many there should be; None without such."""
        ranks = self.ranks
        sizes = [(stream.hello or {}).get("world_size") or 0 for stream in ranks.values()]
        of = max(sizes, default=0)
        missing = next((rank for rank in range(of) if rank not in ranks), None)
        return None if missing is None else (missing, of)

    @property
    def trainers(self) -> dict[str, Stream]:
        """By role, the streams that train in step: the ranks, and `main` beside them where it
        trains too. Where neither makes steps, what they have started."""
        ranks = {role: stream for role, stream in self.streams.items() if _RANK.fullmatch(role)}
        main = self.streams.get(MAIN_STREAM)
        if main is not None and main.watermark():
            return {MAIN_STREAM: main, **ranks}
        started = {role: stream for role, stream in self.streams.items() if stream.watermark()}
        return ranks or started or dict(list(self.streams.items())[:1])

    def watermark(self) -> int:
        """The number of steps whose updates have been written, by the slowest that trains."""
        if self.missing_rank() is not None:
            return 0
        return min((stream.watermark() for stream in self.trainers.values()), default=0)

    def ambiguity(self, role: str) -> str:
        """Why it is chance what this stream records in which order, in one clause; empty where it
        is not: several threads train, or several processes at once had this role or one above."""
        own = self.streams.get(role)
        if own is not None and (whys := [e["why"] for e in own.all("ambiguous") if "why" in e]):
            return str(whys[0])
        shared = {_unnumbered(one) for one, stream in self.streams.items() if _shares_role(stream)}
        names = role.split("/")
        above = ("/".join(names[: depth + 1]) for depth in range(len(names)))
        if any(_unnumbered(one) in shared for one in above):
            return f"several processes were {role} at once and cannot be told apart"
        return ""

    # -- the end -------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the recording of the script's own process and of each rank reached its end."""
        return all(stream.ended for stream in (self.main, *self.ranks.values()))

    @property
    def stopped_after(self) -> int | None:
        """The number of steps after which the run was ended on purpose; None where it was not."""
        given = [end["stopped_after"] for end in self.all("end") if "stopped_after" in end]
        return min(given, default=None)


@lru_cache(maxsize=1 << 12)
def role_order(role: str) -> tuple[tuple[str | int, ...], ...]:
    """A key to sort roles by: parents before their children, numbers by their size."""
    return tuple(
        tuple(int(part) if part.isdigit() else part for part in _DIGITS.split(name))
        for name in role.split("/")
    )


def _shares_role(stream: Stream) -> bool:
    return any("why" not in event for event in stream.all("ambiguous"))


def _unnumbered(role: str) -> str:
    """Without the number that tells processes of the same name apart."""
    return _NUMBERED.sub("", role)


def main_stream(trace: Path) -> Stream:
    """The stream of the script's own process; it may not have been written yet."""
    return Stream(trace / MAIN_STREAM)
