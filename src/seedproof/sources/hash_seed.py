"""The seed of Python's string hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from seedproof.sources.base import Source, Variable, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _variables(seed: int) -> tuple[Variable, ...]:
    return (Variable("PYTHONHASHSEED", str(seed)),)


def _offer(launch: Launch, seed: int) -> Launch:
    return launch.with_environment({"PYTHONHASHSEED": str(seed)})


def _offered(hello: Mapping[str, Any]) -> int | None:
    found = str(hello.get("hash_seed", ""))
    return int(found) if found.isdigit() else None


SOURCE = Source(
    id="hash_seed",
    summary="the order of sets of strings, which Python changes from start to start",
    explanation=(
        "Python hashes strings with a random seed that it draws when it starts, so a set of "
        "strings comes out in another order each time. A vocabulary, a list of labels or of "
        "files that was built by walking over a set then differs between two runs."
    ),
    fix=(
        "Sort what comes out of a set before its order matters. PYTHONHASHSEED fixes the order "
        "too, but only if it is set before the interpreter starts."
    ),
    links=("https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED",),
    parse=whole_number(0, 2**32 - 1),
    pinned=lambda seed, _threads: seed,
    variables=_variables,
    variations=lambda: (1, 2, 3),
    offer=_offer,
    offered=_offered,
    before_start=True,
    by_variables=True,
)
