"""What an earlier run left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, confirmed, one_of

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _start(launch: Launch, which: str) -> Launch:
    return launch.with_first(leftovers=which)


def _offer(launch: Launch, which: str) -> Launch:
    return _start(launch, which).with_offer("leftovers", which)


SOURCE = Source(
    id="leftovers",
    summary="what an earlier run left: checkpoints, caches, logs that are appended to",
    explanation=(
        "A second run finds the checkpoint, the cache or the log of the first: it resumes where "
        "it should begin, reads prepared data that no longer fit, or counts what is there. With "
        "'earlier' the command has run once before in the same place. The pin (none) is the "
        "private view of the directory that every run of a check has unless it is --in-place; "
        "the home directory and /tmp are not private."
    ),
    fix=(
        "Start in an empty output directory, resume only where that is asked for, and save the "
        "states of the generators and of the data loader with each checkpoint."
    ),
    links=("https://github.com/huggingface/transformers/issues/17032",),
    parse=one_of("none", "earlier"),
    pinned=lambda _seed, _threads: "none",
    variations=lambda: ("none", "earlier"),
    offer=_offer,
    offered=confirmed("leftovers"),
    start=_start,
    before_start=True,
)
