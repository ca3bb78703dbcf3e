"""Randomness from the operating system."""

from __future__ import annotations

from seedproof.sources.base import Source, confirmed, inside, whole_number

SOURCE = Source(
    id="entropy",
    summary="randomness that the script takes from the system instead of from a seed",
    explanation=(
        "A generator that is made without a seed (numpy.random.default_rng(), random.Random()) "
        "takes one from the operating system, and so do os.urandom, uuid4 and secrets. No seed "
        "of a global generator reaches them. The pin reaches the calls that the script's own "
        "files make, and the NumPy generators that libraries make for them; the keys and names "
        "that libraries draw for themselves stay random."
    ),
    fix=(
        "Pass a seed to every generator, numpy.random.default_rng(seed), and take names of files "
        "and shuffles from such a generator; keep uuid4 and secrets for what must be unique."
    ),
    links=(
        "https://numpy.org/doc/stable/reference/random/generator.html",
        "https://docs.python.org/3/library/os.html#os.urandom",
        "https://github.com/keras-team/keras/issues/19322",
    ),
    parse=whole_number(0, 2**32 - 1),
    pinned=lambda seed, _threads: seed,
    variations=lambda: (1, 2, 3),
    offer=inside("entropy"),
    offered=confirmed("entropy"),
    used="takes randomness from the system",
)
