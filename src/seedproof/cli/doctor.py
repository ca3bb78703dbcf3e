"""`seedproof doctor`: what this machine and environment would do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from seedproof.cli import Parser, options, target

OPTIONS = (options.PYTHON, options.SEED, options.THREADS)


def main(argv: Sequence[str]) -> int:
    """Tries the policies on the interpreter's frameworks and prints what came out."""
    parser = Parser(
        prog="seedproof doctor",
        description="Versions, processor and threads, and what each policy sets and when: tried in "
        "a fresh process with the frameworks that are installed.",
    )
    for option in OPTIONS:
        option.add_to(parser)
    settings = options.resolve(OPTIONS, parser.parse_args(argv))

    from seedproof.checking.probe import contradictions, probe
    from seedproof.policies import POLICIES, pins_of
    from seedproof.present.doctor_text import doctor_as_text

    interpreter = target.interpreter(settings.python)
    every = {name: pins_of(name, settings.seed, settings.threads) for name in POLICIES}
    found = probe(interpreter, every["deterministic"])
    conflicts = {name: contradictions(pins) for name, pins in every.items()}
    sys.stdout.write(doctor_as_text(interpreter, found, every, conflicts))
    return 0
