"""Churn: the share of held-out examples whose predicted class two runs do not agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedproof.compare.distance import kept_array
from seedproof.trace.reader import Stream

if TYPE_CHECKING:
    import numpy.typing as npt

    Predictions = Mapping[str, npt.NDArray[Any]]

_SUFFIX = "/predictions"


def predictions(stream: Stream) -> Predictions:
    """By name, every output that a run recorded as NAME/predictions."""
    found: dict[str, npt.NDArray[Any]] = {}
    for event in stream.all("value"):
        if event["phase"] == "output" and event["name"].endswith(_SUFFIX):
            array = kept_array(stream, event)
            if array is not None:
                found[event["name"]] = array
    return found


def churn(ours: Predictions, theirs: Predictions) -> float | None:
    """The share from 0 to 1, over all outputs; None where the runs have no common ones."""
    common = [name for name in ours if name in theirs and ours[name].shape == theirs[name].shape]
    total = sum(ours[name].size for name in common)
    if not total:
        return None
    differing = sum(_differing(ours[name], theirs[name]) for name in common)
    return differing / total


def _differing(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> int:
    """How many predictions differ; two that are no number agree."""
    import numpy as np

    return int(np.count_nonzero((a != b) & ((a == a) | (b == b))))
