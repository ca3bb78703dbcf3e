"""The addresses at which memory is placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, confirmed, on_off

if TYPE_CHECKING:
    from seedproof.launch import Launch


_HASHES = "PYTHONHASHSEED"


def _start(launch: Launch, at_random: bool) -> Launch:
    """What memory is asked for depends on how strings hash, so that is fixed too."""
    launch = launch.with_first(aslr=at_random)
    if at_random or launch.environment.get(_HASHES, "random") != "random":
        return launch
    return launch.with_environment({_HASHES: "0"})


def _offer(launch: Launch, at_random: bool) -> Launch:
    return launch.with_first(aslr=at_random).with_offer("aslr", at_random)


SOURCE = Source(
    id="aslr",
    summary="the random addresses of memory, which order objects that have no order",
    explanation=(
        "Linux places memory at other addresses in every run, against attackers. What is ordered "
        "or hashed by identity, such as a set of objects without a hash of their own, then comes "
        "in another order; some kernels also treat the unaligned start of an array apart. The "
        "pin (off) gives the same addresses in every run that asks for memory in the same order; "
        "that order depends on how strings hash, so it fixes their hashes as well."
    ),
    fix=(
        "Give the objects a key and sort by it, or keep them in a list or a dict; never order by "
        "id() or by the default repr()."
    ),
    links=(
        "https://docs.python.org/3/reference/datamodel.html#object.__hash__",
        "https://man7.org/linux/man-pages/man8/setarch.8.html",
    ),
    parse=on_off,
    pinned=lambda _seed, _threads: False,
    variations=lambda: (True, False),
    offer=_offer,
    offered=confirmed("aslr"),
    start=_start,
    before_start=True,
)
