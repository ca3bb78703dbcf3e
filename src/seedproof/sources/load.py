"""What else the machine does, and so who finishes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.inside.machine import visible_cores
from seedproof.sources.base import Source, confirmed, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _offer(launch: Launch, busy: int) -> Launch:
    return launch.with_first(busy=busy).with_offer("load", busy)


SOURCE = Source(
    id="load",
    summary="who finishes first, among threads and processes that share something",
    explanation=(
        "Threads or processes that update the same weights, or write to the same list, do so in "
        "the order in which they get there, and that depends on what else the machine does. "
        "Varied, so many other processes keep it busy and the threads of Python take turns more "
        "often, so that a race shows more readily. Pinned, threads and processes that the "
        "script's own files start run one after the other, as far as they do not wait for each "
        "other; that silences a race, it does not mend it."
    ),
    fix=(
        "Let each worker write to a place of its own, and bring the results together in a fixed "
        "order; a lock alone keeps updates whole, not in order."
    ),
    links=(
        "https://docs.python.org/3/library/sys.html#sys.setswitchinterval",
        "https://docs.pytorch.org/docs/stable/notes/multiprocessing.html#asynchronous-multiprocess-training-e-g-hogwild",
    ),
    parse=whole_number(0, 256),
    pinned=lambda _seed, _threads: 0,
    variations=lambda: (0, visible_cores(), 3 * visible_cores()),
    offer=_offer,
    offered=confirmed("load"),
    used="starts what runs beside it",
)
