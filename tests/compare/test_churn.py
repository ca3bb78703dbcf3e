"""The share of predictions that two runs do not agree on."""

import numpy as np
import pytest

from seedproof.compare.churn import churn, predictions
from traces import Trace


def named(**arrays):
    return {name: np.asarray(array) for name, array in arrays.items()}


def test_it_is_the_share_of_predictions_that_differ():
    ours, theirs = np.random.default_rng(0).integers(0, 10, (2, 1000))
    assert churn(named(p=ours), named(p=theirs)) == np.mean(ours != theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "share"),
    [([1, 2, 3, 4], [1, 2, 3, 4], 0), ([1, 2, 3, 4], [1, 2, 3, 5], 0.25), ([1], [2], 1)],
)
def test_one_prediction_more_or_less(ours, theirs, share):
    assert churn(named(p=ours), named(p=theirs)) == share


def test_outputs_count_by_their_size():
    ours, theirs = named(p=[1, 2, 3], q=[1]), named(p=[1, 2, 3], q=[2])
    assert churn(ours, theirs) == 0.25


def test_what_only_one_run_has_is_left_out():
    ours, theirs = named(p=[1, 2], q=[1]), named(p=[1, 3], r=[1])
    assert churn(ours, theirs) == 0.5


@pytest.mark.parametrize("theirs", [{}, named(q=[1]), named(p=[1, 2]), named(p=[[1]])])
def test_without_common_outputs_there_is_none(theirs):
    assert churn(named(p=[1]), theirs) is None


def test_empty_outputs_have_none():
    assert churn(named(p=[]), named(p=[])) is None


@pytest.mark.parametrize(
    ("theirs", "share"), [([np.nan, 1], 0), ([np.nan, 2], 0.5), ([1, 1], 0.5), ([-np.nan, 1], 0)]
)
def test_two_predictions_that_are_no_number_agree(theirs, share):
    assert churn(named(p=[np.nan, 1]), named(p=theirs)) == share


def test_predictions_are_the_outputs_of_that_name(tmp_path):
    trace = Trace(tmp_path)
    trace.keep("fold0/predictions", np.uint8([1, 2]), phase="output")
    trace.keep("fold1/predictions", np.uint8([3]), phase="output")
    trace.keep("fold0/weights", np.uint8([4]), phase="output")
    trace.keep("fold2/predictions", np.uint8([5]), phase="update")
    found = predictions(trace.stream)
    assert {name: array.tolist() for name, array in found.items()} == {
        "fold0/predictions": [1, 2],
        "fold1/predictions": [3],
    }


def test_predictions_that_were_cut_short_are_left_out(tmp_path):
    trace = Trace(tmp_path).keep("a/predictions", np.uint8([1, 2]), phase="output")
    (trace.directory / "values.bin").write_bytes(b"\1")
    assert predictions(trace.stream) == {}
