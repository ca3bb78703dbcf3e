"""JAX in every style: what is recorded of it, and that recording changes no bit."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from keras_runs import same_bits
from torch_runs import Trainings

from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases, compared_tables
from seedproof.trace.digest import digest_array

pytestmark = pytest.mark.skipif(find_spec("jax") is None, reason="no JAX")

TRAINING = {"init", "data", "loss", "update", "output"}
GRADIENTS = {"init", "data", "backward", "output"}
FOUR_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
slow = pytest.mark.slow


def needs(module):
    return pytest.mark.skipif(find_spec(module) is None, reason=f"no {module}")


def trainings_of(factory, **variables):
    return Trainings("jax_styles.py", factory.mktemp("jax"), JAX_PLATFORMS="cpu", **variables)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return trainings_of(tmp_path_factory)


@pytest.fixture(scope="module")
def on_four_devices(tmp_path_factory):
    return trainings_of(tmp_path_factory, **FOUR_DEVICES)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """With arrays on a device that NumPy cannot read, as far as we know."""
    return trainings_of(tmp_path_factory, ARRAYS="elsewhere")


def all_rows(trained):
    return {key: trained.rows(key) for key in compared_tables(trained.stream)}


# -- in every style ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("plain", 5, TRAINING),
        ("adam", 5, TRAINING),
        ("helpers", 5, TRAINING | {"forward"}),
        ("keys_as_state", 5, TRAINING),
        pytest.param("donated", 5, TRAINING, marks=slow),
        pytest.param("decorated", 5, TRAINING, marks=slow),
        pytest.param("compiled_twice", 5, TRAINING, marks=slow),
        pytest.param("compiled_anew_for_each_batch", 5, TRAINING, marks=slow),
        pytest.param("compiled_ahead", 5, TRAINING, marks=slow),
        pytest.param("not_compiled", 5, TRAINING, marks=slow),
        pytest.param("mapped", 5, TRAINING - {"loss"}, marks=slow),
        pytest.param("method", 5, TRAINING, marks=slow),
        pytest.param("module", 5, TRAINING, marks=slow),
        pytest.param("closed_over", 3, TRAINING, marks=slow),
        pytest.param("several_steps_in_a_call", 3, TRAINING - {"loss"}, marks=slow),
        pytest.param("all_in_one_call", 1, {"init", "update", "output"}, marks=slow),
        pytest.param("eager_update_recorded", 5, GRADIENTS | {"loss"}, marks=slow),
        pytest.param("eager_update_evaluated", 5, GRADIENTS - {"output"} | {"loss"}, marks=slow),
        pytest.param("two_updates", 10, GRADIENTS - {"output"} | {"update"}, marks=slow),
        pytest.param("update_of_its_own", 5, GRADIENTS | {"forward", "update"}, marks=slow),
        pytest.param("without_gradients", 4, TRAINING - {"loss"} | {"forward"}, marks=slow),
        pytest.param("adversaries", 10, TRAINING - {"loss"}, marks=slow),
        pytest.param("flax_nnx", 5, TRAINING, marks=[slow, needs("flax"), needs("optax")]),
        pytest.param("optax_eager", 5, GRADIENTS, marks=[slow, needs("optax")]),
    ],
)
def test_a_training_is_seen_whole_and_keeps_its_bits(style, steps, phases, trainings):
    trained = trainings.recorded(style)
    assert same_bits(trained.variables, trainings.plain(style).variables)
    assert incompleteness(trained.stream) == unseen_in(trained.stream) == ""
    assert trained.stream.watermark() == steps
    assert compared_phases(trained.stream) == phases


@slow
@pytest.mark.parametrize("style", ["sharded", "mapped"])
def test_arrays_on_several_devices_are_seen_and_keep_their_bits(style, on_four_devices):
    trained = on_four_devices.recorded(style)
    assert same_bits(trained.variables, on_four_devices.plain(style).variables)
    assert incompleteness(trained.stream) == unseen_in(trained.stream) == ""
    assert trained.stream.watermark() == 5


@pytest.mark.parametrize("style", ["eager_update", pytest.param("eager", marks=slow)])
def test_weights_after_an_update_that_nothing_sees_are_said_not_to_be_known(style, trainings):
    trained = trainings.recorded(style)
    assert same_bits(trained.variables, trainings.plain(style).variables)
    assert "the weights after the last update" in unseen_in(trained.stream)
    assert "output" not in compared_phases(trained.stream)
    assert trained.stream.watermark() == 5
    (note,) = (event["text"] for event in trained.stream.all("note"))
    assert 'seedproof.record("weights", params, step=step)' in note


@slow
@pytest.mark.parametrize(
    "style", ["update_of_its_own", pytest.param("optax_eager", marks=needs("optax"))]
)
def test_final_weights_are_those_after_the_last_update(style, trainings):
    trained = trainings.recorded(style)
    (final,) = (key for key in compared_tables(trained.stream) if key.startswith("output/"))
    ((_, *words),) = trained.rows(final)
    assert words == list(map(digest_array, trained.variables))


def test_other_bits_are_told_apart(trainings):
    assert not same_bits(trainings.plain("plain").variables, trainings.plain("plain", 1).variables)
    assert all_rows(trainings.recorded("plain")) != all_rows(trainings.recorded("plain", 1))


@pytest.mark.parametrize(
    "style",
    ["plain", *(pytest.param(style, marks=slow) for style in ("eager_update", "all_in_one_call"))],
)
def test_one_flipped_bit_is_seen_from_the_first_step_on(style, trainings):
    plain, perturbed = trainings.recorded(style), trainings.recorded(style, perturbed=True)
    assert perturbed.stream.all("perturbed")
    (initial,) = (key for key in compared_tables(plain.stream) if key.startswith("init/"))
    (call,) = (key for key in compared_tables(plain.stream) if key.startswith("call/"))
    assert plain.rows(initial) != perturbed.rows(initial)
    assert plain.rows(call)[0] != perturbed.rows(call)[0]
    if style != "eager_update":  # made of the weights that the call was given, not of the flipped
        assert not same_bits(plain.variables, perturbed.variables)


# -- what a row holds --------------------------------------------------------------------------

WEIGHTS = ["step_of/params/hidden", "step_of/params/out"]


def test_state_has_the_names_of_its_arguments_before_and_after(trainings):
    trained = trainings.recorded("plain")
    assert trained.names("init/step_of#0") == WEIGHTS
    assert trained.names("call/step_of#0", "data") == ["step_of/x", "step_of/y"]
    assert trained.names("call/step_of#0", "update") == WEIGHTS
    assert trained.names("call/step_of#0", "loss") == ["step_of/returned/1"]
    assert trained.names("output/final/step_of#0") == WEIGHTS


def test_weights_before_the_first_step_and_after_the_last_stand_alone(trainings):
    trained = trainings.recorded("plain")
    assert trained.steps("init/step_of#0") == [-1]
    assert trained.steps("call/step_of#0") == [0, 1, 2, 3, 4]
    assert trained.steps("output/final/step_of#0") == [4]
    (final,) = trained.words("output/final/step_of#0", "output")
    assert final == trained.words("call/step_of#0", "update")[-1]


def test_helpers_and_evaluations_are_no_steps(trainings):
    trained = trainings.recorded("helpers")
    assert trained.steps("call/initial#0") == [-1]
    assert trained.steps("call/augmented#0") == [-1, 0, 1, 2, 3]
    assert trained.steps("call/step_of#0") == [0, 1, 2, 3, 4]
    assert trained.steps("call/loss_of#0") == [0, 1, 2, 3, 4]


def test_an_average_that_comes_back_is_state_too(trainings):
    names = trainings.recorded("helpers").names("call/averaged#1", "update")
    assert names == ["averaged/average/hidden", "averaged/average/out"]


def test_weights_that_are_updated_elsewhere_are_data_of_each_step(trainings):
    trained = trainings.recorded("eager_update")
    weights = ["loss_of/params/hidden", "loss_of/params/out"]
    assert trained.names("data/loss_of#0") == weights
    assert trained.steps("data/loss_of#0") == [1, 2, 3, 4]
    assert trained.names("call/loss_of#0", "backward") == weights


@slow
def test_a_scan_of_several_steps_is_one_record(trainings):
    trained = trainings.recorded("several_steps_in_a_call")
    assert trained.steps("call/steps#0") == [0, 1, 2]
    assert trained.names("call/steps#0", "data") == ["steps/xs", "steps/ys"]


@slow
def test_two_trainings_in_turn_count_together(trainings):
    trained = trainings.recorded("adversaries")
    assert trained.steps("call/first#0") == [0, 2, 4, 6, 8]
    assert trained.steps("call/second#0") == [1, 3, 5, 7, 9]


@slow
@needs("flax")
@needs("optax")
def test_the_variables_of_flax_have_their_names(trainings):
    names = trainings.recorded("flax_nnx").names("init/step#0")
    assert {"step/model/hidden/kernel", "step/optimizer/opt_state/0/mu/out/bias"} < set(names)


@slow
@needs("optax")
def test_the_helpers_of_libraries_are_left_out(trainings):
    tables = trainings.recorded("optax_eager").stream.tables
    assert not [key for key in tables if "bias_correction" in key]


def test_values_are_kept_at_points_that_lie_ever_further_apart(trainings):
    kept = trainings.recorded("plain").stream.all("value")
    of_one = [(value["phase"], value["step"]) for value in kept if value["name"] == WEIGHTS[1]]
    updates = [("update", step) for step in (0, 1, 2, 4)]
    assert of_one == [("init", -1), *updates, ("output", 4)]


@slow
def test_initial_values_are_kept_of_what_is_used_up(trainings):
    kept = trainings.recorded("donated").stream.all("value")
    assert [value["name"] for value in kept if value["phase"] == "init"] == WEIGHTS


# -- devices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "style",
    ["keys_as_state", pytest.param("donated", marks=slow), pytest.param("adam", marks=slow)],
)
def test_a_device_finds_the_same_digests(style, elsewhere, trainings):
    trained = elsewhere.recorded(style)
    assert all_rows(trained) == all_rows(trainings.recorded(style))
    assert incompleteness(trained.stream) == ""
    assert trained.stream.watermark() == 5


# -- how far, and how much ---------------------------------------------------------------------


def test_a_run_ends_after_the_steps_that_were_asked_for(trainings):
    stopped = trainings.recorded("plain", steps=3)
    assert stopped.steps("call/step_of#0") == [0, 1, 2]
    assert stopped.steps("output/final/step_of#0") == [2]
    assert stopped.stream.watermark() == 3
    assert stopped.variables == []


def test_what_a_device_computes_is_waited_for_when_a_run_is_ended(elsewhere):
    stopped = elsewhere.recorded("plain", steps=3)
    assert stopped.steps("call/step_of#0")[:3] == [0, 1, 2]
    assert stopped.stream.watermark() == 3


@pytest.mark.parametrize(
    "style",
    [
        "plain",
        pytest.param("helpers", marks=slow),
        pytest.param("optax_eager", marks=[slow, needs("optax")]),
    ],
)
def test_a_run_that_is_recorded_at_its_end_has_the_same_final_weights(style, trainings):
    end, steps = trainings.recorded(style, recording="end"), trainings.recorded(style)
    final = {key: rows for key, rows in all_rows(steps).items() if key.startswith("output/final/")}
    assert all_rows(end) == final
    assert final


# -- what is not looked at ---------------------------------------------------------------------

UNCOMPILED = "gradients that are taken outside of functions which jax.jit has compiled"


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("scanned_without_jit", UNCOMPILED),
        pytest.param("pulled_back", UNCOMPILED, marks=slow),
        ("in_a_thread", "updates in other threads or processes than the script's own"),
        ("deserialized", "programs that were compiled elsewhere"),
    ],
)
def test_what_nobody_looked_at_is_said_to_be_unseen(style, text, trainings):
    trained = trainings.recorded(style)
    assert same_bits(trained.variables, trainings.plain(style).variables)
    assert [event["text"] for event in trained.stream.all("unseen")] == [text]
    (note,) = trained.stream.all("note")
    assert 'seedproof.record("weights", params, step=step)' in note["text"]


def test_a_training_in_one_call_says_how_to_look_inside(trainings):
    (note,) = trainings.recorded("all_in_one_call").stream.all("note")
    assert "one compiled call" in note["text"]
    assert 'seedproof.record("train", value, step=step)' in note["text"]
