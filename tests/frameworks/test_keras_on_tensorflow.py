"""Keras on TensorFlow, trained by its own methods: what is recorded, and that it keeps its bits."""

from __future__ import annotations

import pytest
from keras_runs import Trainings, by_graph, same_bits

from conftest import needs_tensorflow
from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases
from traces import recorded

pytestmark = needs_tensorflow

UPDATES = {"backward", "update", "output"}
FIT = UPDATES | {"init", "data", "loss", "metric"}
BETWEEN = {"init", "loss", "update", "metric", "output"}
slow = pytest.mark.slow
of_weights_made_before_or_as_it_trains = pytest.mark.parametrize(
    ("style", "table"),
    [("fit", "init/fit0#0"), ("built_as_it_trains", "init/optimizer0#0")],
)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory) -> Trainings:
    return Trainings(tmp_path_factory.mktemp("keras"))


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("fit", 6, FIT),
        ("built_as_it_trains", 8, FIT),
        ("several_steps_per_execution", 8, FIT),
        ("custom_train_step", 8, FIT),
        pytest.param("adversarial_train_step", 12, FIT, marks=slow),
        pytest.param("batch_normalization", 8, FIT, marks=slow),
        pytest.param("dataset", 8, FIT, marks=slow),
        pytest.param("eager", 8, FIT, marks=slow),
        pytest.param("embedding", 8, FIT, marks=slow),
        pytest.param("mirrored_fit", 8, FIT, marks=slow),
        pytest.param("mirrored_mixed_precision", 8, FIT, marks=slow),
        pytest.param("mixed_precision", 8, FIT, marks=slow),
        pytest.param("optimizers_that_come_and_go", 12, FIT, marks=slow),
        pytest.param("recurrent", 8, FIT, marks=slow),
        pytest.param("save_best", 8, FIT, marks=slow),
        pytest.param("train_on_batch", 3, FIT, marks=slow),
        pytest.param("train_on_batch_by_xla", 3, BETWEEN, marks=slow),
        pytest.param("two_optimizers", 8, FIT, marks=slow),
        pytest.param("two_replicas", 8, BETWEEN, marks=slow),
        pytest.param("xla", 8, BETWEEN, marks=slow),
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
    touched[0].reshape(-1).view("u4")[0] ^= 1
    assert not same_bits(plain, touched)
    assert not same_bits(plain, trainings.recorded("fit", seed=1).variables)


@pytest.mark.parametrize("phase", ["data", "loss", "backward", "update"])
def test_another_seed_is_seen_in_the_first_step(phase, trainings):
    ours, theirs = (trainings.recorded("fit", seed=s).words("optimizer0#0", phase) for s in (0, 1))
    assert ours[0] != theirs[0]
    assert ours == trainings.recorded("fit", seed=0).words("optimizer0#0", phase)


@of_weights_made_before_or_as_it_trains
def test_initial_weights_are_a_record_of_their_own(style, table, trainings):
    ours, theirs = (trainings.recorded(style, seed=seed) for seed in (0, 1))
    assert ours.steps(table) == [-1]
    kernels = [at for at, name in enumerate(ours.names(table)) if name.endswith("kernel")]
    (words,), (others,) = (run.words(table, "init") for run in (ours, theirs))
    assert all(words[at] != others[at] for at in kernels)
    assert all(0 not in column.shape for column in ours.stream.tables[table].columns)


@slow
def test_every_optimizer_has_a_number_of_its_own(trainings):
    """Each model is dropped before the next is made."""
    stream = trainings.recorded("optimizers_that_come_and_go").stream
    owners = [key for key in stream.tables if key.startswith("optimizer")]
    assert owners == ["optimizer0#0", "optimizer1#0", "optimizer2#0"]


# -- what stands at points ---------------------------------------------------------------------


def test_an_epoch_has_its_metrics_weights_and_optimizer_state(trainings):
    fit = trainings.recorded("fit")
    ends = [2, 5]
    assert fit.steps("metric/fit@0#0") == ends
    assert {"fit/loss", "fit/val_loss"} <= {*fit.names("metric/fit@0#0")}
    assert fit.steps("update/fit0#0") == fit.steps("update/fit0/state#0") == ends
    assert [name for name in fit.names("update/fit0/state#0") if "momentum" in name]


def test_the_beginning_has_its_weights_before_the_first_step(trainings):
    assert trainings.recorded("fit").steps("init/fit0#0") == [-1]


@slow
def test_values_of_weights_are_kept_ever_more_rarely(trainings):
    kept = list(trainings.recorded("dataset").stream.all("value"))
    between = {value["step"] for value in kept if value["phase"] == "update"}
    assert between >= {0, 1, 3, 7}
    assert {value["step"] for value in kept if value["phase"] == "init"} == {-1}


def test_generators_are_hints(trainings):
    stream = trainings.recorded("fit").stream
    assert {key for key in stream.tables if key.startswith("hint/")} == {
        "hint/random#0",
        "hint/numpy.random#0",
    }


def test_how_far_the_training_means_to_go_is_told(trainings):
    assert [event["steps"] for event in trainings.recorded("fit").stream.all("planned")] == [6]


@slow
def test_a_step_of_several_updates_is_known_after_an_epoch(trainings):
    told = [e["steps"] for e in trainings.recorded("adversarial_train_step").stream.all("planned")]
    assert told == [6, 12]


def test_results_that_a_script_asks_for_are_recorded(tmp_path):
    script = """
import numpy as np
from tensorflow import keras
data = np.random.RandomState(0).rand(20, 4).astype("float32")
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
model.compile("sgd", "mse", metrics=["mae"])
model.train_on_batch(data, data[:, :2])
model.train_on_batch(data, data[:, :2], return_dict=True)
model.test_on_batch(data, data[:, :2])
model.evaluate(data, data[:, :2], verbose=0)
model.predict(data, verbose=0)
model.predict_on_batch(data[:3])
"""
    stream, _ = recorded(script, tmp_path)
    tables = {key: table.whole_rows() for key, table in stream.tables.items()}
    assert tables["metric/train_on_batch@None#0"] == tables["metric/train_on_batch@None#1"] == 1
    assert tables["metric/test_on_batch@None#0"] == tables["metric/evaluate@0#0"] == 1
    assert tables["output/predict#0"] == 2


# -- other ways to record ----------------------------------------------------------------------


@pytest.mark.parametrize("style", ["fit", "custom_train_step"])
def test_a_run_recorded_at_its_end_has_the_final_weights_and_nothing_else(style, trainings):
    end, whole = trainings.recorded(style, recording="end"), trainings.recorded(style)
    assert same_bits(end.variables, whole.variables)
    assert [*end.stream.tables] == ["output/final/fit0#0"]
    assert end.rows("output/final/fit0#0") == whole.rows("output/final/fit0#0")


def test_a_run_of_some_steps_ends_with_the_weights_after_them(trainings):
    short, whole = trainings.recorded("fit", steps=4), trainings.recorded("fit")
    assert short.stream.all("end")[0]["stopped_after"] == 4
    final = {by_graph(array) for array in short.kept("output")}
    assert short.rows("optimizer0#0") == whole.rows("optimizer0#0")[:4]
    assert final == {*whole.words("optimizer0#0", "update")[3]}


def test_both_ways_to_record_end_after_the_same_step(trainings):
    short, end = (trainings.recorded("fit", steps=4, recording=mode) for mode in ("steps", "end"))
    assert short.rows("output/final/fit0#0") == end.rows("output/final/fit0#0")


@of_weights_made_before_or_as_it_trains
def test_the_perturbed_run_differs_from_its_first_step_on(style, table, trainings):
    perturbed, whole = trainings.recorded(style, perturbed=True), trainings.recorded(style)
    assert perturbed.rows(table) == whole.rows(table)
    ours, theirs = (run.words("optimizer0#0", "update") for run in (perturbed, whole))
    assert ours[0] != theirs[0]
