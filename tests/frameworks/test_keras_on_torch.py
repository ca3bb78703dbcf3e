"""Keras on PyTorch: what is recorded, and that it keeps its bits."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from keras_runs import same_bits
from torch_runs import Trainings

from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("keras") is None, reason="no Keras on PyTorch"
)

STEPS = {"init", "data", "loss", "backward", "update", "output"}
FIT = STEPS | {"metric"}
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def trainings(tmp_path_factory) -> Trainings:
    place = tmp_path_factory.mktemp("keras_on_torch")
    return Trainings("keras_on_torch_styles.py", place, KERAS_BACKEND="torch")


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("fit", 6, FIT),
        pytest.param("custom_train_step", 8, STEPS, marks=slow),
        pytest.param("fit_compiled_by_torch", 4, FIT - {"backward"}, marks=slow),
        pytest.param("loader", 8, FIT, marks=slow),
        pytest.param("mixed_precision", 8, FIT, marks=slow),
        pytest.param("torch_optimizer", 3, STEPS, marks=slow),
        pytest.param("train_on_batch", 3, FIT, marks=slow),
    ],
)
def test_a_training_is_seen_whole_and_keeps_its_bits(style, steps, phases, trainings):
    recorded = trainings.recorded(style)
    assert same_bits(trainings.plain(style).variables, recorded.variables)
    assert incompleteness(recorded.stream) == unseen_in(recorded.stream) == ""
    assert recorded.stream.watermark() == steps
    assert compared_phases(recorded.stream) == phases


def test_the_comparison_of_bits_can_fail(trainings):
    plain = trainings.plain("fit").variables
    touched = [array.copy() for array in plain]
    touched[-1].reshape(-1).view("u1")[0] ^= 1
    assert not same_bits(plain, touched)
    assert not same_bits(plain, trainings.recorded("fit", seed=1).variables)


def test_variables_have_their_paths_for_names_those_that_are_not_trained_too(trainings):
    names = trainings.recorded("fit").names("optimizer0#0", "update")
    assert "sequential/dense/kernel" in names
    assert "sequential/batch_normalization/moving_mean" in names


def test_training_is_timed_once(trainings):
    stream = trainings.recorded("fit").stream
    assert len(stream.all("training_begins")) == len(stream.all("training_ends")) == 1


def test_an_epoch_is_counted_once(trainings):
    ended = trainings.recorded("fit", epochs=1)
    assert [end["stopped_after"] for end in ended.stream.all("end")] == [3]
