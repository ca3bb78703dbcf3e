"""Seedproof makes a training repeat, and proves bit for bit that it does.

Importing this package imports no framework. Every public name is fetched when it is first used, so
that a script pays for nothing that it does not call; `record`, `log_metric` and the two setters
also work inside the user's own interpreter, which needs the standard library alone for them.
"""

from typing import TYPE_CHECKING

from seedproof._version import __version__

if TYPE_CHECKING:
    from seedproof.experiments.evaluation import Evaluation, evaluate_results
    from seedproof.inside.api import log_metric, record
    from seedproof.inside.by_hand import init
    from seedproof.inside.determinism import Report, make_deterministic, set_seed

_HOMES = {
    "Evaluation": "seedproof.experiments.evaluation",
    "Report": "seedproof.inside.determinism",
    "evaluate_results": "seedproof.experiments.evaluation",
    "init": "seedproof.inside.by_hand",
    "log_metric": "seedproof.inside.api",
    "make_deterministic": "seedproof.inside.determinism",
    "record": "seedproof.inside.api",
    "set_seed": "seedproof.inside.determinism",
}

__all__ = [
    "Evaluation",
    "Report",
    "__version__",
    "evaluate_results",
    "init",
    "log_metric",
    "make_deterministic",
    "record",
    "set_seed",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'seedproof' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
