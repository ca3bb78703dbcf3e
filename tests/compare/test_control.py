"""The control runs: did the recording change anything, and would it have seen a difference?"""

import pytest

from seedproof.compare.control import neutral, seen
from seedproof.trace.format import BEFORE_TRAINING, Column
from traces import Trace

WEIGHTS = (Column("output", "kernel"), Column("output", "bias"))


@pytest.fixture
def pair(tmp_path):
    """Two runs that have begun: one recorded only at its end, and one at every step."""
    return Trace(tmp_path / "0", mode="end"), Trace(tmp_path / "1", mode="steps")


def final(run, *words, model="model", step=BEFORE_TRAINING, columns=WEIGHTS):
    """The weights of a model at the end."""
    return run.rows(f"output/final/{model}#0", (step, *words), columns=columns)


def is_neutral(pair, end=True):
    for run in pair if end else ():
        run.end()
    return neutral(*(run.trace for run in pair))


# -- neutral -----------------------------------------------------------------------------------


def test_equal_weights_at_the_end_show_that_the_recording_is_neutral(pair):
    final(pair[0], 1, 2)
    final(pair[1].updates(1, 2, 3), 1, 2, step=2)
    assert is_neutral(pair) is True


@pytest.mark.parametrize("words", [(1, 3), (3, 2)])
def test_weights_that_differ_show_that_it_is_not(pair, words):
    final(pair[0], 1, 2)
    final(pair[1], *words)
    assert is_neutral(pair) is False


def test_every_model_and_every_process_counts(pair):
    for word, run in enumerate(pair):
        final(run, 1, 2)
        final(run, 1, 2, model="other")
        final(run.beside("rank0"), 1, word)
    assert is_neutral(pair) is False


def test_the_same_weights_under_other_names_are_others(pair):
    final(pair[0], 1, columns=WEIGHTS[:1])
    final(pair[1], 1, columns=WEIGHTS[1:])
    assert is_neutral(pair) is False


@pytest.mark.parametrize("has", [0, 1])
def test_weights_that_only_one_run_has_tell_nothing(pair, has):
    for run in pair:
        final(run, 1, 2)
    final(pair[has], 1, 2, model="other")
    assert is_neutral(pair) is None


def test_without_weights_nothing_is_told(pair):
    pair[1].updates(1, 2, 3)
    assert is_neutral(pair) is None


def test_a_table_that_was_never_filled_is_no_weights(pair):
    for run in pair:
        run.rows("output/final/model#0", columns=WEIGHTS)
    assert is_neutral(pair) is None


def test_other_outputs_do_not_count(pair):
    for word, run in enumerate(pair):
        final(run, 1, 2)
        run.rows("output/finale#0", (0, word), columns=[Column("output", "x")])
    assert is_neutral(pair) is True


@pytest.mark.parametrize("ended", [0, 1])
def test_a_run_that_has_not_ended_may_still_come_to_others(pair, ended):
    for run in pair:
        final(run, 1, 2)
    pair[ended].end()
    assert is_neutral(pair, end=False) is None


# -- seen --------------------------------------------------------------------------------------


@pytest.fixture
def is_seen(tmp_path):
    """Whether the second of two runs, which `write` writes, shows that a bit was flipped in it."""

    def answer(*writes, flipped=True, steps=None):
        runs = [Trace(tmp_path / str(at)) for at in range(2)]
        if flipped:
            runs[1].writer.event("perturbed")
        for run, write in zip(runs, writes, strict=True):
            write(run)
        return seen(*(run.trace for run in runs), steps)

    return answer


def trained(*words, end=True):
    return lambda run: run.updates(*words).end() if end else run.updates(*words)


def test_a_flipped_bit_is_seen_in_any_record_that_it_changed(is_seen):
    assert is_seen(trained(1, 2, 3), trained(1, 2, 4)) is True


def test_a_flipped_bit_that_changed_no_record_is_not_seen(is_seen):
    assert is_seen(trained(1, 2, 3), trained(1, 2, 3)) is False


def test_a_flipped_bit_beyond_the_scope_is_not_seen(is_seen):
    assert is_seen(trained(1, 2, 3), trained(1, 2, 4), steps=2) is False


@pytest.mark.parametrize("ours", [trained(1, 2), trained(1, 2, end=False)])
@pytest.mark.parametrize("theirs", [trained(1, 2, end=False), trained(end=False)])
def test_a_run_that_did_not_come_to_its_end_tells_nothing(is_seen, ours, theirs):
    assert is_seen(ours, theirs) is None


def test_where_no_bit_was_flipped_nothing_is_told(is_seen):
    assert is_seen(trained(1), trained(2), flipped=False) is None
