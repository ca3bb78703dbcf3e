"""The home directory, and the settings in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, confirmed, one_of

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _start(launch: Launch, which: str) -> Launch:
    return launch.with_first(home=which)


def _offer(launch: Launch, which: str) -> Launch:
    return _start(launch, which).with_offer("home", which)


SOURCE = Source(
    id="home",
    summary="the home directory, whose settings and caches libraries read unasked",
    explanation=(
        "Libraries read settings from the home directory: keras.json decides the backend and the "
        "default precision, matplotlibrc the pictures, and caches decide what need not be "
        "computed again. Another user, a container or a cleaned cache has others. With 'empty' "
        "each run gets a home of its own, with links to downloaded data and installed programs "
        "alone."
    ),
    fix=(
        "Set in the script what matters, keras.config.set_floatx('float32'), and name the "
        "directories of data in the configuration."
    ),
    links=("https://keras.io/api/utils/config_utils/",),
    parse=one_of("own", "empty"),
    pinned=lambda _seed, _threads: "empty",
    variations=lambda: ("own", "empty"),
    offer=_offer,
    offered=confirmed("home"),
    start=_start,
    before_start=True,
    by_variables=True,
)
