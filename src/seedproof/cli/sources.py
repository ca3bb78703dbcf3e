"""`seedproof sources`: the catalogue, policy by policy."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from seedproof.cli import Parser, did_you_mean
from seedproof.errors import UsageError
from seedproof.launch import Value
from seedproof.policies import POLICIES
from seedproof.present.output import say
from seedproof.sources import CATALOGUE
from seedproof.sources.base import Source


def main(argv: Sequence[str]) -> int:
    """Prints every source, or one of them whole."""
    parser = Parser(prog="seedproof sources", description="The catalogue, policy by policy.")
    parser.add_argument("source", nargs="?", help="one source, explained")
    chosen = parser.parse_args(argv).source
    if chosen is None:
        say(_catalogue())
    elif chosen in CATALOGUE:
        say(_whole(CATALOGUE[chosen]))
    else:
        guess = did_you_mean(chosen, CATALOGUE)
        raise UsageError(f"{chosen}: no such source{guess}; there are {', '.join(CATALOGUE)}")
    return 0


def _catalogue() -> str:
    lines = [f"{source.id:<22}{source.summary}" for source in CATALOGUE.values()]
    lines.append("")
    for name, ids in POLICIES.items():
        pins = f"{name:<22}pins {', '.join(ids) or 'nothing'}"
        lines += textwrap.wrap(pins, 100, subsequent_indent=" " * 27)
    lines.append("\nseedproof sources SOURCE explains one.")
    return "\n".join(lines) + "\n"


def _whole(source: Source) -> str:
    policies = [name for name, ids in POLICIES.items() if source.id in ids]
    paragraphs = [
        f"{source.id}: {source.summary}",
        textwrap.fill(source.explanation, 88),
        textwrap.fill("Fix: " + source.fix, 88),
        f"Pinned by: {', '.join(policies) or 'no policy; --pin ' + source.id}",
        f"Varied by: --vary {source.id}, over {', '.join(map(_typed, source.variations()))}",
        "\n".join(source.links),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _typed(value: Value) -> str:
    words = {True: "on", False: "off"}
    return words[value] if isinstance(value, bool) else str(value)
