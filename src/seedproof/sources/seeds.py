"""The seeds of the global generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from seedproof.sources.base import Source, Variable, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch, Value


def _variables(_seed: int) -> tuple[Variable, ...]:
    return ()


def _offer(launch: Launch, seed: Value) -> Launch:
    return launch.with_pin("seeds", seed)


def _offered(hello: Mapping[str, Any]) -> Value:
    return hello.get("pins", {}).get("seeds")


SOURCE = Source(
    id="seeds",
    summary="the seeds of Python's, NumPy's, TensorFlow's and PyTorch's global generators",
    explanation=(
        "Initial weights, dropout masks and the order of the data are drawn from generators that "
        "start from the system's randomness unless they are given a seed. Keras draws the seeds "
        "of its layers from Python's own generator, so one more draw before a layer is made "
        "changes its weights."
    ),
    fix=(
        "Seed every generator first thing in the program (`seedproof.set_seed(0)`), and give each "
        "purpose its own: a validation run that draws from the training's generator changes it."
    ),
    links=(
        "https://keras.io/api/utils/python_utils/#set_random_seed-function",
        "https://docs.pytorch.org/docs/stable/notes/randomness.html",
    ),
    parse=whole_number(0, 2**32 - 1),
    pinned=lambda seed, _threads: seed,
    variables=_variables,
    variations=lambda: (0, 1, 2),
    offer=_offer,
    offered=_offered,
)
