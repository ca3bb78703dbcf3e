"""PyTorch in every style of training: what is recorded, and that recording changes no bit."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from keras_runs import same_bits
from torch_runs import Trainings

from seedproof.compare.completeness import incompleteness, unseen_in
from seedproof.compare.rows import compared_phases

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")

STEPS = {"init", "loss", "backward", "update", "output"}
CALLED = STEPS | {"data"}
LOADED = CALLED | {"forward"}
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def trainings(tmp_path_factory) -> Trainings:
    return Trainings("torch_styles.py", tmp_path_factory.mktemp("torch"))


@pytest.mark.parametrize(
    ("style", "steps", "phases"),
    [
        ("sgd", 4, CALLED),
        ("loader", 8, LOADED),
        ("gan", 6, LOADED),
        ("accumulation", 2, CALLED),
        ("skipped_update", 3, CALLED),
        ("lbfgs", 2, CALLED),
        ("by_hand", 4, CALLED),
        ("compiled", 4, CALLED),
        pytest.param("compiled_by_inductor", 4, CALLED, marks=slow),
        pytest.param("compiled_step", 4, STEPS, marks=slow),
        pytest.param("checkpointed", 3, LOADED, marks=slow),
        pytest.param("counted_operations", 4, CALLED, marks=slow),
        pytest.param("failing_updates", 2, CALLED, marks=slow),
        pytest.param("forked_workers", 8, LOADED, marks=slow),
        pytest.param("fused_adam", 4, CALLED, marks=slow),
        pytest.param("in_a_thread", 8, LOADED, marks=slow),
        pytest.param("loaded_here", 8, LOADED, marks=slow),
        pytest.param("many_short_lived_optimizers", 9, CALLED, marks=slow),
        pytest.param("many_types", 4, CALLED, marks=slow),
        pytest.param("scheduler_and_second_phase", 6, CALLED, marks=slow),
        pytest.param("sparse_embedding", 3, CALLED, marks=slow),
        pytest.param("spawned_workers", 8, LOADED, marks=slow),
        pytest.param("unused_and_frozen", 4, CALLED, marks=slow),
    ],
)
def test_a_training_is_seen_whole_and_keeps_its_bits(style, steps, phases, trainings):
    recorded = trainings.recorded(style)
    assert same_bits(trainings.plain(style).variables, recorded.variables)
    assert incompleteness(recorded.stream) == unseen_in(recorded.stream) == ""
    assert recorded.stream.watermark() == steps
    assert compared_phases(recorded.stream) == phases


def test_the_comparison_of_bits_can_fail(trainings):
    plain = trainings.plain("sgd").variables
    touched = [array.copy() for array in plain]
    touched[0].reshape(-1).view("u4")[0] ^= 1
    assert not same_bits(plain, touched)
    assert not same_bits(plain, trainings.recorded("sgd", seed=1).variables)


@pytest.mark.parametrize("phase", ["backward", "update"])
def test_another_seed_is_seen_in_the_first_step(phase, trainings):
    ours, theirs = (trainings.recorded("sgd", seed=s).words("optimizer0#0", phase) for s in (0, 1))
    assert ours[0] != theirs[0]


# -- names and steps ---------------------------------------------------------------------------


def test_parameters_and_buffers_have_the_names_that_their_module_gives_them(trainings):
    sgd = trainings.recorded("sgd")
    params = ["first.weight", "first.bias", "norm.weight", "norm.bias", "last.weight", "last.bias"]
    buffers = ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]
    assert sgd.names("optimizer0#0", "backward") == params
    assert sgd.names("optimizer0#0", "update") == [*params, *buffers]
    assert sgd.names("output/final/optimizer0#0") == params


def test_buffers_are_seen_to_change(trainings):
    sgd = trainings.recorded("sgd")
    columns = sgd.names("optimizer0#0", "update")
    at = columns.index("norm.running_mean")
    means = [row[at] for row in sgd.words("optimizer0#0", "update")]
    assert len({*means}) == len(means)


def test_what_a_compiler_puts_round_a_module_is_no_part_of_a_name(trainings):
    ours, plain = trainings.recorded("compiled"), trainings.recorded("sgd")
    assert ours.names("optimizer0#0") == plain.names("optimizer0#0")
    assert ours.steps("data/Network#0") == [0, 1, 2, 3]


def test_each_optimizer_has_its_table_and_the_steps_count_over_all(trainings):
    gan = trainings.recorded("gan")
    assert gan.steps("optimizer0#0") == [0, 2, 4]
    assert gan.steps("optimizer1#0") == [1, 3, 5]
    assert gan.steps("init/optimizer0#0") == [-1]
    assert gan.steps("init/optimizer1#0") == [1]


def test_all_that_goes_into_an_update_belongs_to_its_step(trainings):
    accumulation = trainings.recorded("accumulation")
    for key in ("data/batch#0", "loss/backward#0"):
        assert accumulation.steps(key) == [0, 0, 1, 1]


def test_a_closure_has_a_loss_each_time_that_it_is_called(trainings):
    assert trainings.recorded("lbfgs").steps("loss/backward#0") == [0, 0, 0, 1, 1, 1]


def test_an_update_that_is_left_out_counts_and_leaves_the_weights(trainings):
    skipped = trainings.recorded("skipped_update")
    params = [row[:6] for row in skipped.words("optimizer0#0", "update")]
    assert skipped.steps("optimizer0#0") == [0, 1, 2]
    assert params[0] == params[1] != params[2]


@pytest.mark.parametrize(
    "style",
    [
        "overwritten_gradients",
        "gradients_taken_by_a_hook",
        "gradients_given_back",
    ],
)
def test_gradients_are_those_that_the_optimizer_receives(style, trainings):
    received = trainings.recorded("sgd").words("optimizer0#0", "backward")
    assert len({tuple(row) for row in received}) == 4
    assert trainings.recorded(style).words("optimizer0#0", "backward") == received
    assert same_bits(trainings.plain(style).variables, trainings.recorded(style).variables)


def test_where_the_weights_are_gone_in_the_end_the_steps_are_not(trainings):
    stream = trainings.recorded("weights_gone_in_the_end").stream
    assert stream.watermark() == 4
    assert incompleteness(stream) == ""
    assert trainings.recorded("weights_gone_in_the_end").steps("loss/backward#0") == [0, 1, 2, 3]


@slow
def test_epochs_end_whose_loader_keeps_its_workers(trainings):
    recorded = trainings.recorded("persistent_workers", epochs=2)
    assert recorded.stream.watermark() == 8


@slow
def test_an_update_that_fails_is_none(trainings):
    assert trainings.recorded("failing_updates").steps("optimizer0#0") == [0, 1]


def test_a_batch_has_the_names_that_it_was_given(trainings):
    loaded = trainings.recorded("loader")
    assert loaded.names("data/batch#0") == ["batch/0", "batch/1"]
    assert loaded.steps("data/batch#0") == [*range(8)]


@slow
def test_modules_that_prepare_data_are_no_inputs(trainings):
    tables = trainings.recorded("loaded_here").stream.tables
    assert [key for key in tables if key.startswith("data/")] == ["data/batch#0"]


@slow
def test_workers_that_load_data_leave_no_stream(trainings):
    for style in ("forked_workers", "spawned_workers"):
        here = trainings.recorded(style).stream.directory
        assert [path.name for path in here.iterdir() if path.is_dir()] == []


# -- points and the end ------------------------------------------------------------------------


def test_optimizer_states_stand_ever_more_rarely_and_at_the_end_of_an_epoch(trainings):
    loaded = trainings.recorded("loader")
    assert loaded.steps("update/optimizer0/state#0") == [0, 1, 2, 3, 4, 7]
    assert "first.weight/exp_avg" in loaded.names("update/optimizer0/state#0")


def test_initial_and_final_weights_are_kept(trainings):
    kept = trainings.recorded("sgd").stream.all("value")
    assert {(value["phase"], value["step"]) for value in kept} >= {("init", -1), ("output", 3)}


def test_generators_are_hints(trainings):
    tables = trainings.recorded("sgd").stream.tables
    assert {key for key in tables if key.startswith("hint/")} == {
        "hint/random#0",
        "hint/numpy.random#0",
        "hint/torch#0",
    }


@slow
def test_final_weights_do_not_depend_on_when_an_optimizer_goes(trainings):
    """Its weights are trained on by another one, and overwritten in the end."""
    phases = trainings.recorded("scheduler_and_second_phase")
    for owner in ("optimizer0", "optimizer1"):
        last = phases.words(f"{owner}#0", "update")[-1]
        (final,) = phases.words(f"output/final/{owner}#0", "output")
        assert final == last[: len(final)]


@pytest.mark.parametrize("style", ["sgd", "gan"])
def test_a_run_that_is_recorded_at_its_end_has_the_same_final_weights(style, trainings):
    ours, theirs = trainings.recorded(style), trainings.recorded(style, recording="end")
    assert all(key.startswith("output/final/") for key in theirs.stream.tables)
    assert theirs.stream.tables.keys() == {
        key for key in ours.stream.tables if key.startswith("output/final/")
    }
    for key in theirs.stream.tables:
        assert theirs.names(key) == ours.names(key)
        assert theirs.rows(key) == ours.rows(key)


@slow
def test_weights_that_were_written_to_after_the_last_update_are_not_taken_for_final(trainings):
    """Those of the first optimizer are final if it was gone before the second one updated them."""
    end = trainings.recorded("scheduler_and_second_phase", recording="end")
    assert {*end.stream.tables} <= {"output/final/optimizer0#0"}


@pytest.mark.parametrize("style", ["sgd", "by_hand", "compiled"])
def test_one_flipped_bit_is_seen_in_the_initial_weights(style, trainings):
    (key,) = (k for k in trainings.recorded(style).stream.tables if k.startswith("init/"))
    ours, theirs = trainings.recorded(style), trainings.recorded(style, perturbed=True)
    ((first, *others),) = ours.words(key, "init")
    ((flipped, *untouched),) = theirs.words(key, "init")
    assert first != flipped
    assert others[:5] == untouched[:5]


def test_a_run_ends_after_the_steps_that_were_asked_for(trainings):
    ended = trainings.recorded("loader", steps=3)
    assert ended.steps("optimizer0#0") == [0, 1, 2]
    assert [end["stopped_after"] for end in ended.stream.all("end")] == [3]


def test_a_run_ends_after_an_epoch_however_it_is_recorded(trainings):
    for recording in ("steps", "end"):
        ended = trainings.recorded("loader", epochs=1, recording=recording)
        assert [end["stopped_after"] for end in ended.stream.all("end")] == [4]


# -- several threads ---------------------------------------------------------------------------


@slow
def test_threads_that_train_at_once_leave_whole_rows_that_prove_nothing(trainings):
    stream = trainings.recorded("hogwild").stream
    assert len(stream.all("ambiguous")) == 1
    assert stream.watermark() == 60
    assert not any(table.is_torn() for table in stream.tables.values())


@slow
def test_one_thread_beside_the_main_one_is_no_reason_for_doubt(trainings):
    ours, plain = trainings.recorded("in_a_thread"), trainings.recorded("loader")
    assert ours.stream.all("ambiguous") == []
    assert ours.rows("optimizer0#0") == plain.rows("optimizer0#0")
