"""The directory in which the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, confirmed, one_of

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _start(launch: Launch, which: str) -> Launch:
    """Another place only for what has a view of the directory: in place there is one place."""
    if launch.view == "shared":
        return launch
    return launch.with_view("private" if which == "own" else "moved")


def _offer(launch: Launch, which: str) -> Launch:
    return _start(launch, which).with_offer("working_dir", which)


SOURCE = Source(
    id="working_dir",
    summary="the path of the working directory, which can find its way into the results",
    explanation=(
        "A script that hashes paths, sorts by them, looks for data beside or above itself or "
        "keeps absolute paths in its files depends on where it lies. With 'moved' a run starts "
        "in a copy of the directory under another path. The pin (own) keeps the path that it "
        "has; --in-place always does."
    ),
    fix=(
        "Derive paths from __file__ or from the configuration, and use names relative to the "
        "data set where a path is hashed, sorted or stored."
    ),
    links=("https://reproducible-builds.org/docs/build-path/",),
    parse=one_of("own", "moved"),
    pinned=lambda _seed, _threads: "own",
    variations=lambda: ("own", "moved"),
    offer=_offer,
    offered=confirmed("working_dir"),
    start=_start,
    before_start=True,
    by_variables=True,
)
