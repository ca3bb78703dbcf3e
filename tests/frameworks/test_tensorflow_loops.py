"""Loops written by hand on TensorFlow: what is recorded, and that it keeps its bits."""

from __future__ import annotations

import numpy as np
import pytest
from keras_runs import Trainings, by_graph, same_bits

from conftest import needs_tensorflow
from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases
from seedproof.trace.digest import digest_array
from traces import recorded, rows_of

pytestmark = needs_tensorflow

LOOP = {"init", "data", "loss", "backward", "update", "output"}
slow = pytest.mark.slow

ONE_STEP = """
import numpy as np, tensorflow as tf
from tensorflow import keras
data = np.arange(12.0, dtype="float32").reshape(4, 3) / 7
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.5)
def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x, training=True) ** 2)
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)
    return loss
"""


@pytest.fixture(scope="module")
def trainings(tmp_path_factory) -> Trainings:
    return Trainings(tmp_path_factory.mktemp("loops"))


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("gradient_tape", 3, LOOP),
        ("adversarial", 6, LOOP),
        ("compiled_by_hand", 3, LOOP - {"loss", "backward"} | {"metric"}),
        pytest.param("autograph", 3, LOOP, marks=slow),
        pytest.param("eager_adversarial", 6, LOOP, marks=slow),
        pytest.param("eager_gradient_tape", 3, LOOP, marks=slow),
        pytest.param("gradients_in_a_function_of_their_own", 2, LOOP, marks=slow),
        pytest.param("hand_written_batch_normalization", 3, LOOP, marks=slow),
        pytest.param("hand_written_dataset", 3, LOOP, marks=slow),
        pytest.param("hand_written_embedding", 3, LOOP, marks=slow),
        pytest.param("hand_written_mixed_precision", 3, LOOP, marks=slow),
        pytest.param("mirrored_by_hand", 3, LOOP, marks=slow),
        pytest.param("per_example_gradients", 3, LOOP - {"data", "loss"}, marks=slow),
    ],
)
def test_a_loop_is_seen_whole_and_keeps_its_bits(style, steps, phases, trainings):
    recorded = trainings.recorded(style)
    assert same_bits(trainings.plain(style).variables, recorded.variables)
    assert incompleteness(recorded.stream) == unseen_in(recorded.stream) == ""
    assert recorded.stream.watermark() == steps
    assert compared_phases(recorded.stream) == phases


@pytest.mark.parametrize("way", ["step", "tf.function(step)"])
def test_the_records_are_those_of_the_values_in_the_script(way, tmp_path):
    """What entered the model, the loss, and the weights before and after."""
    script = (
        ONE_STEP
        + f"""
before = model.get_weights()
loss = ({way})(tf.constant(data)).numpy()
np.savez("values.npz", data, loss, *before, *model.get_weights())
"""
    )
    stream, _ = recorded(script, tmp_path)
    with np.load(tmp_path / "values.npz") as values:
        data, loss, *weights = (values[name] for name in values.files)
    before, after = map(digest_array, weights[:2]), map(by_graph, weights[2:])
    assert rows_of(stream, "tape#0") == [(0, by_graph(data), by_graph(loss))]
    assert rows_of(stream, "init/optimizer0#0") == [(-1, *sorted_by_name(stream, [*before]))]
    assert rows_of(stream, "optimizer0#0")[0][-2:] == (*after,)


def sorted_by_name(stream, words):
    """Named records stand in the order of their names; here the bias comes first."""
    assert [c.name.rpartition("/")[2] for c in stream.tables["init/optimizer0#0"].columns] == [
        "bias",
        "kernel",
    ]
    return reversed(words)


def test_what_one_model_gives_another_is_no_input(trainings):
    gan = trainings.recorded("adversarial")
    assert gan.names("tape#0") == ["discriminator/0", "generator/0", "loss"]
    assert gan.names("tape#1") == ["loss"]


def test_two_optimizers_take_turns(trainings):
    gan = trainings.recorded("adversarial")
    assert gan.steps("optimizer0#0") == [0, 2, 4]
    assert gan.steps("optimizer1#0") == [1, 3, 5]


def test_what_changes_beside_the_weights_is_recorded_after_the_update(trainings):
    names = trainings.recorded("adversarial").names("optimizer0#0", "update")
    assert sum("moving_" in name for name in names) == 4  # of both: one step calls them


def test_what_is_compiled_is_recorded_at_its_edge(trainings):
    names = trainings.recorded("compiled_by_hand").names
    assert names("between#0", "data") == ["argument/0", "argument/1"]
    assert names("between#0", "metric") == ["returned/0"]


@pytest.mark.parametrize("key", ["tape#0", "optimizer0#0", "optimizer1#0"])
def test_another_seed_is_seen(key, trainings):
    ours, again, theirs = (trainings.recorded("adversarial", seed) for seed in (0, 0, 1))
    assert ours.rows(key) == again.rows(key)
    assert ours.rows(key) != theirs.rows(key)


# -- points, and other ways to record ----------------------------------------------------------


def test_the_state_of_optimizers_and_values_are_kept_at_points(trainings):
    gan = trainings.recorded("adversarial")
    assert gan.steps("update/optimizer0/state#0") == gan.steps("update/optimizer1/state#0")
    kept = {value["step"] for value in gan.stream.all("value") if value["phase"] == "update"}
    assert kept == {*gan.steps("update/optimizer0/state#0")} == {1, 3}


@pytest.mark.parametrize("style", ["adversarial", "compiled_by_hand"])
def test_a_run_recorded_at_its_end_has_the_final_weights_and_nothing_else(style, trainings):
    end, whole = trainings.recorded(style, recording="end"), trainings.recorded(style)
    final = [key for key in whole.stream.tables if key.startswith("output/final/")]
    assert same_bits(end.variables, whole.variables)
    assert [*end.stream.tables] == final != []
    assert [end.rows(key) for key in final] == [whole.rows(key) for key in final]


def test_a_run_of_some_steps_ends_with_the_weights_after_them(trainings):
    short, whole = trainings.recorded("gradient_tape", steps=2), trainings.recorded("gradient_tape")
    assert short.rows("optimizer0#0") == whole.rows("optimizer0#0")[:2]
    final = {by_graph(array) for array in short.kept("output")}
    assert final == {*whole.words("optimizer0#0", "update")[1]}


@slow
@pytest.mark.parametrize("style", ["eager_adversarial", "compiled_by_hand"])
def test_both_ways_to_record_end_after_the_same_step(style, trainings):
    short, end = (trainings.recorded(style, steps=2, recording=mode) for mode in ("steps", "end"))
    final = "output/final/optimizer0#0"
    assert short.rows(final) == end.rows(final)


def test_the_perturbed_run_differs_from_its_first_step_on(trainings):
    whole = trainings.recorded("gradient_tape")
    perturbed = trainings.recorded("gradient_tape", perturbed=True)
    assert perturbed.rows("init/optimizer0#0") == whole.rows("init/optimizer0#0")
    assert perturbed.rows("optimizer0#0")[0] != whole.rows("optimizer0#0")[0]


# -- what cannot be looked at ------------------------------------------------------------------


def test_a_training_without_an_optimizer_is_said_to_be_unseen(trainings):
    recorded = trainings.recorded("variables_alone")
    assert same_bits(trainings.plain("variables_alone").variables, recorded.variables)
    assert unseen_in(recorded.stream) == (
        "updates that no optimizer of Keras makes were not looked at"
    )
    assert [len(words) for words in recorded.words("tape#0", "loss")] == [1, 1, 1]


@slow
def test_a_training_that_records_its_weights_by_itself_is_judged_by_them(trainings):
    recorded = trainings.recorded("variables_alone_recorded")
    assert unseen_in(recorded.stream) == ""
    assert recorded.names("output/weights#0") == ["weights/0"]


def test_updates_of_several_threads_prove_nothing(tmp_path):
    script = (
        ONE_STEP
        + """
import threading
step(data)
optimizer = keras.optimizers.SGD(0.5)
thread = threading.Thread(target=step, args=(data,))
thread.start(); thread.join()
"""
    )
    stream, _ = recorded(script, tmp_path)
    assert len(list(stream.all("ambiguous"))) == 1


def test_gradients_that_train_nothing_leave_nothing(tmp_path):
    """Of what enters a model, say."""
    script = (
        ONE_STEP
        + """
x = tf.constant(data)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = model(x)
tape.gradient(y, x)
"""
    )
    stream, _ = recorded(script, tmp_path)
    assert not stream.tables
    assert unseen_in(stream) == ""


def test_a_failing_step_fails_as_it_would(tmp_path):
    script = ONE_STEP + "tf.function(step)(data[:, :2])\n"
    stream, done = recorded(script, tmp_path, status=1)
    assert "ValueError: Exception encountered" in done.stderr
    assert not list(stream.all("trouble"))
