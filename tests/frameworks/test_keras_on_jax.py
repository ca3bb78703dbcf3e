"""Keras on JAX in every style: what is recorded, and that recording changes no bit."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from keras_runs import same_bits
from torch_runs import Trainings

from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases

pytestmark = [
    pytest.mark.skipif(find_spec(module) is None, reason=f"no {module}")
    for module in ("jax", "keras")
]

slow = pytest.mark.slow
STEP = {"init", "data", "loss", "update", "output"}
FIT = STEP | {"metric"}
DENSE = ["network/dense/kernel", "network/dense/bias"]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    place = tmp_path_factory.mktemp("keras")
    return Trainings("keras_on_jax_styles.py", place, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("fit", 6, FIT | {"forward"}),
        ("train_on_batch", 3, FIT | {"forward"}),
        pytest.param("custom_train_step", 8, FIT, marks=slow),
        pytest.param("several_steps_per_execution", 34, FIT, marks=slow),
        pytest.param("eager", 4, FIT | {"backward", "forward"}, marks=slow),
        pytest.param("not_compiled", 4, FIT | {"backward", "forward"}, marks=slow),
        pytest.param("save_best", 8, FIT, marks=slow),
        pytest.param("hand_written", 3, STEP, marks=slow),
        pytest.param("two_models", 8, FIT, marks=slow),
    ],
)
def test_a_training_is_seen_whole_and_keeps_its_bits(style, steps, phases, trainings):
    trained = trainings.recorded(style)
    assert same_bits(trained.variables, trainings.plain(style).variables)
    assert incompleteness(trained.stream) == unseen_in(trained.stream) == ""
    assert trained.stream.watermark() == steps
    assert compared_phases(trained.stream) == phases


def test_other_bits_are_told_apart(trainings):
    ours, theirs = trainings.recorded("fit"), trainings.recorded("fit", 1)
    assert not same_bits(ours.variables, theirs.variables)
    assert ours.rows("call/train_step#0") != theirs.rows("call/train_step#0")


def test_variables_have_the_paths_that_keras_gives_them(trainings):
    trained = trainings.recorded("fit")
    updated = trained.names("call/train_step#0", "update")
    assert {*DENSE, "adam/network_dense_kernel_velocity"} < set(updated)
    assert trained.names("call/train_step#0", "data") == ["batch/0", "batch/1"]


def test_every_step_has_a_loss(trainings):
    trained = trainings.recorded("fit")
    assert "train_step/returned/0/loss" in trained.names("call/train_step#0", "loss")
    assert trained.steps("call/train_step#0") == [0, 1, 2, 3, 4, 5]


def test_an_evaluation_belongs_to_the_step_before_it(trainings):
    assert trainings.recorded("fit").steps("call/test_step#0") == [2, 5]


def test_weights_are_recorded_at_the_end_of_training_by_batches(trainings):
    trained = trainings.recorded("train_on_batch")
    assert trained.steps("output/final/model0#0") == [2]
    assert set(DENSE) < set(trained.names("output/final/model0#0"))


@slow
def test_a_run_that_is_recorded_at_its_end_has_the_same_final_weights(trainings):
    for style, key in (("fit", "output/final/fit0#0"), ("train_on_batch", "output/final/model0#0")):
        end = trainings.recorded(style, recording="end")
        assert end.rows(key) == trainings.recorded(style).rows(key)


@slow
def test_each_model_has_steps_of_its_own(trainings):
    trained = trainings.recorded("two_models")
    assert trained.steps("call/train_step#0") == [0, 1, 2, 3]
    assert trained.steps("call/train_step(2)#0") == [4, 5, 6, 7]


@slow
def test_one_flipped_bit_is_seen(trainings):
    for style in ("fit", "train_on_batch"):
        plain, perturbed = trainings.recorded(style), trainings.recorded(style, perturbed=True)
        assert plain.rows("init/train_step#0") != perturbed.rows("init/train_step#0")


@slow
def test_a_run_ends_after_the_steps_that_were_asked_for(trainings):
    assert trainings.recorded("fit", steps=4).steps("call/train_step#0") == [0, 1, 2, 3]
