"""Where two streams part: every kind, the earliest one, and while both are still written."""

import struct
import tracemalloc

import numpy as np
import pytest

from seedproof.compare.stream_comparison import StreamComparison
from seedproof.trace.digest import digest_array
from seedproof.trace.format import Column
from traces import Trace

STEP = (
    Column("update", "w", dtype="float32", shape=(2,)),
    Column("data", "x", dtype="float32", shape=(2,)),
    Column("backward", "w", dtype="float32", shape=(2,)),
)
LOSS = (Column("metric", "loss", kind="value"),)


@pytest.fixture
def pair(tmp_path):
    """Two traces that have begun."""
    return Trace(tmp_path / "0"), Trace(tmp_path / "1")


def compared(pair):
    comparison = StreamComparison("main", *(trace.stream for trace in pair))
    comparison.advance()
    comparison.finish()
    return comparison


def first(comparison):
    return next(iter(comparison.divergences()), None)


def settled(comparison):
    """Whether nothing can come before the first divergence any more."""
    found = first(comparison)
    return found is not None and comparison.settled(found.step)


def parting(pair):
    """The first divergence, in short."""
    found = first(compared(pair))
    return found and (found.kind, found.step, found.phase, found.name)


def word(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def of_bits(*arrays):
    """Each run's row with the digest of its array."""
    return [(0, digest_array(np.asarray(array))) for array in arrays]


# -- what parts them ---------------------------------------------------------------------------


def test_equal_traces_do_not_part(pair):
    for trace in pair:
        trace.updates(1, 2, 3).rows("metric", (2, 7), columns=LOSS)
    comparison = compared(pair)
    assert first(comparison) is None
    assert (comparison.rows_compared, comparison.words_compared) == (4, 4)


@pytest.mark.parametrize("step", [0, 1, 6])
def test_one_bit_at_one_step(pair, step):
    words = [10, 11, 12, 13, 14, 15, 16]
    pair[0].updates(*words)
    words[step] ^= 1 << 63
    pair[1].updates(*words)
    assert parting(pair) == ("bits", step, "update", "w")


@pytest.mark.parametrize(("kind", "shorter"), [("missing", 1), ("extra", 0)])
def test_one_that_goes_on_longer(pair, kind, shorter):
    pair[shorter].updates(1, 2)
    pair[1 - shorter].updates(1, 2, 3, 4)
    assert parting(pair) == (kind, 2, "update", "w")


@pytest.mark.parametrize(("kind", "shorter"), [("missing", 1), ("extra", 0)])
def test_a_record_that_only_one_has(pair, kind, shorter):
    for trace in pair:
        trace.updates(1, 2)
    pair[1 - shorter].rows("own", (1, 5), columns=[Column("output", "own")])
    assert parting(pair) == (kind, 1, "output", "own")


@pytest.mark.parametrize(("kind", "lacking"), [("missing", 1), ("extra", 0)])
def test_a_step_that_one_leaves_out(pair, kind, lacking):
    pair[lacking].rows("t", (0, 1), (2, 1), (3, 1))
    pair[1 - lacking].rows("t", (0, 1), (1, 1), (2, 1))
    assert parting(pair) == (kind, 1, "update", "w")


@pytest.mark.parametrize("steps", [(0, 1), (0, 1, 2)])
def test_a_row_that_only_one_has_is_named_by_its_first_phase(pair, steps):
    pair[0].rows("t", *((step, 1, 1, 1) for step in (0, 2)), columns=STEP)
    pair[1].rows("t", *((step, 1, 1, 1) for step in steps), columns=STEP)
    assert parting(pair)[2:] == ("data", "x")


@pytest.mark.parametrize(
    ("ours", "theirs", "odd"),
    [("ab", "ac", "b"), ("ab", "a", "b"), ("a", "ab", "b"), ("ab", "ba", "a"), ("ab", "acb", "b")],
)
def test_records_under_other_names(pair, ours, theirs, odd):
    for trace, names in zip(pair, (ours, theirs), strict=True):
        columns = [Column("update", name) for name in names]
        trace.rows("t", (4, *range(len(names))), columns=columns)
    assert parting(pair) == ("layout", 4, "update", odd)


@pytest.mark.parametrize("steps", [(2, 5), (5, 2)])
def test_other_names_part_where_the_first_of_them_comes(pair, steps):
    for trace, step, name in zip(pair, steps, "ab", strict=True):
        trace.rows("t", (step, 1), columns=[Column("update", name)])
    assert parting(pair) == ("layout", 2, "update", "a")


@pytest.mark.parametrize("other", [Column("backward", "w"), Column("update", "w", kind="value")])
def test_the_same_name_for_something_else(pair, other):
    pair[0].rows("t", (0, 1), columns=[Column("update", "w")])
    pair[1].rows("t", (0, 1), columns=[other])
    assert parting(pair) == ("layout", 0, "update", "w")


def test_other_names_part_only_where_something_was_recorded_under_them(pair):
    pair[0].rows("t", columns=[Column("update", "a")])
    pair[1].rows("t", columns=[Column("update", "b")])
    assert parting(pair) is None
    pair[1].rows("t", (3, 1))
    assert parting(pair) == ("extra", 3, "update", "b")


@pytest.mark.parametrize(
    "other", [{"dtype": "float64", "shape": (2,)}, {"dtype": "float32", "shape": (1, 2)}]
)
def test_another_dtype_or_shape(pair, other):
    pair[0].rows("t", (0, 1))
    pair[1].rows("t", (0, 2), columns=[Column("update", "w", **other)])
    assert parting(pair) == ("shape", 0, "update", "w")


def test_a_dtype_that_the_graph_did_not_know_is_no_difference(pair):
    pair[0].rows("t", (0, 1), columns=[Column("data", "x", shape=(None, 2))])
    pair[1].rows("t", (0, 1), columns=[Column("data", "x", shape=(100, 2))])
    assert parting(pair) is None


NAN = np.array([np.nan, 1], np.float32)
OTHER_NAN = (NAN.view(np.uint32) ^ np.uint32([1, 0])).view(np.float32)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (NAN, NAN.copy(), None),
        (NAN, OTHER_NAN, "bits"),
        (np.float32([0, 1]), np.float32([-0.0, 1]), "bits"),
        (np.float32([0, 1]), np.float32([0, 1]), None),
    ],
)
def test_bits_are_compared_and_not_numbers(pair, ours, theirs, kind):
    for trace, row in zip(pair, of_bits(ours, theirs), strict=True):
        trace.rows("t", row)
    found = parting(pair)
    assert (found and found[0]) == kind


@pytest.mark.parametrize(
    ("ours", "theirs"), [(0.5, 0.25), (0.0, -0.0), (1.0, float("inf")), (0.1 + 0.2, 0.3)]
)
def test_a_metric_tells_both_values(pair, ours, theirs):
    pair[0].rows("metric", (0, word(ours)), columns=LOSS)
    pair[1].rows("metric", (0, word(theirs)), columns=LOSS)
    assert first(compared(pair)).values == (ours, theirs)


def test_a_digest_tells_no_values(pair):
    pair[0].updates(1)
    pair[1].updates(2)
    assert first(compared(pair)).values is None


@pytest.mark.parametrize(
    ("key", "optimizer"),
    [("optimizer0#0", 0), ("optimizer12#3", 12), ("update/optimizer1#0", None)],
)
def test_the_optimizer_is_named(pair, key, optimizer):
    pair[0].rows(key, (0, 1))
    pair[1].rows(key, (0, 2))
    assert first(compared(pair)).optimizer == optimizer


def test_what_speaks_of_other_digests_is_not_compared(tmp_path):
    pair = Trace(tmp_path / "0").updates(1), Trace(tmp_path / "1", digest="sum/0").updates(2)
    comparison = compared(pair)
    assert (first(comparison), comparison.words_compared) == (None, 0)


# -- the earliest one --------------------------------------------------------------------------


def differing(pair, key, step, phase="update", name="w"):
    """A table that differs at one step."""
    for trace, value in zip(pair, (1, 2), strict=True):
        trace.rows(key, (step, value), columns=[Column(phase, name)])


@pytest.mark.parametrize("steps", [(5, 3, 4), (3, 4, 5), (4, 5, 3)])
def test_the_earliest_step_comes_first_whatever_the_table(pair, steps):
    for at, step in enumerate(steps):
        differing(pair, f"table {at}", step)
    assert parting(pair)[1] == 3
    assert [found.step for found in compared(pair).divergences()] == [3, 4, 5]


def test_within_a_step_the_phases_have_an_order(pair):
    phases = ["init", "data", "forward", "loss", "backward", "update", "metric", "output"]
    for phase in reversed(phases):
        differing(pair, phase, 3, phase)
    assert [found.phase for found in compared(pair).divergences()] == phases


def test_within_a_row_the_phases_have_the_same_order(pair):
    pair[0].rows("optimizer0#0", (0, 1, 1, 1), (1, 1, 1, 1), columns=STEP)
    pair[1].rows("optimizer0#0", (0, 1, 1, 1), (1, 2, 1, 2), columns=STEP)
    assert parting(pair) == ("bits", 1, "backward", "w")


def test_within_a_phase_the_order_is_that_of_the_recording(pair):
    for name in ("b", "a", "c"):
        differing(pair, name, 3, name=name)
    assert [found.name for found in compared(pair).divergences()] == ["b", "a", "c"]


def test_the_order_of_the_recording_is_not_that_of_the_finding(pair):
    for trace in pair:
        trace.rows("b", columns=[Column("update", "w")])
    comparison = live(pair)
    for key in ("a", "b"):
        differing(pair, key, 3)
        comparison.advance()
    assert [found.table for found in comparison.divergences()] == ["b", "a"]


def test_the_weights_that_a_second_model_starts_from_come_after_the_first_training(pair):
    differing(pair, "init/fit1#0", 6, "init")
    differing(pair, "optimizer0#0", 5, "update")
    differing(pair, "optimizer1#0", 6, "data")
    found = [(one.step, one.phase) for one in compared(pair).divergences()]
    assert found == [(5, "update"), (6, "init"), (6, "data")]


def test_what_is_recorded_before_the_training_comes_first_of_all(pair):
    differing(pair, "output/x#0", -1, "output")
    differing(pair, "optimizer0#0", 0, "data")
    found = first(compared(pair))
    assert (found.before_training, found.name) == (True, "w")


# -- while they run ----------------------------------------------------------------------------


def live(pair):
    return StreamComparison("main", *(trace.stream for trace in pair))


def test_growing_traces_are_compared_as_far_as_both_go(pair):
    comparison = live(pair)
    for step in range(5):
        for trace in pair:
            comparison.advance()
            assert comparison.rows_compared == step
            trace.updates(step, first=step)
    comparison.advance()
    assert (comparison.rows_compared, first(comparison)) == (5, None)


def test_half_a_row_waits_for_the_rest(pair):
    pair[0].updates(1, 2)
    pair[1].updates(1)
    comparison = live(pair)
    row = struct.pack("<qQ", 1, 3)
    for byte in row:
        with (pair[1].directory / "0.rows").open("ab") as file:
            assert first(comparison) is None
            file.write(bytes([byte]))
        comparison.advance()
    assert first(comparison).step == 1


def test_half_an_event_waits_for_the_rest(pair):
    for trace in pair:
        trace.updates(1)
    events = pair[1].directory / "events.jsonl"
    content = events.read_bytes()
    events.write_bytes(content[:-20])
    comparison = live(pair)
    comparison.advance()
    assert comparison.rows_compared == 0
    events.write_bytes(content)
    comparison.advance()
    assert comparison.rows_compared == 1


def test_a_run_that_has_not_begun_is_waited_for(pair, tmp_path):
    pair[0].updates(1)
    late = Trace(tmp_path / "2")
    stream = late.stream
    (late.directory / "events.jsonl").rename(late.directory / "later")
    comparison = StreamComparison("main", pair[0].stream, type(stream)(late.directory))
    comparison.advance()
    assert comparison.rows_compared == 0
    (late.directory / "later").rename(late.directory / "events.jsonl")
    late.updates(1)
    comparison.advance()
    assert comparison.rows_compared == 1


def test_a_run_that_is_behind_is_no_divergence(pair):
    pair[0].updates(1, 2, 3).rows("own", (1, 5)).end()
    pair[1].updates(1)
    comparison = live(pair)
    comparison.advance()
    assert first(comparison) is None


def parted_at(pair, step):
    """Both runs have come to `step`, where they part."""
    pair[0].updates(*range(step), 100)
    pair[1].updates(*range(step), 200)
    comparison = live(pair)
    comparison.advance()
    assert first(comparison).step == step
    return comparison


def test_it_is_settled_when_both_have_gone_on(pair):
    comparison = parted_at(pair, 3)
    for trace in pair:
        comparison.advance()
        assert not settled(comparison)
        trace.updates(0, first=4)
    comparison.advance()
    assert settled(comparison)


def test_it_is_settled_when_both_have_ended(pair):
    comparison = parted_at(pair, 3)
    for trace in pair:
        comparison.advance()
        assert not settled(comparison)
        trace.end()
    comparison.advance()
    assert settled(comparison)


def test_it_is_settled_when_one_has_gone_on_and_the_other_has_ended(pair):
    comparison = parted_at(pair, 0)
    pair[0].updates(0, first=1)
    pair[1].end()
    comparison.advance()
    assert settled(comparison)


def test_equal_runs_are_never_settled(pair):
    for trace in pair:
        trace.updates(1, 2).end()
    comparison = live(pair)
    comparison.advance()
    assert not settled(comparison)


def test_what_is_found_before_the_training_waits_for_its_begin(pair):
    differing(pair, "output/x#0", -1, "output")
    comparison = live(pair)
    comparison.advance()
    assert not settled(comparison)
    differing(pair, "init/fit0#0", -1, "init", "v")
    for trace in pair:
        trace.updates(1)
    comparison.advance()
    assert settled(comparison)
    assert first(comparison).phase == "init"


def test_a_table_that_is_drained_late_can_hold_the_first_divergence(pair):
    comparison = parted_at(pair, 3)
    differing(pair, "optimizer1#0", 2)
    for trace in pair:
        trace.updates(0, first=4)
    comparison.advance()
    assert settled(comparison)
    assert first(comparison).step == 2


def test_rows_that_come_while_it_looks_settle_nothing(pair):
    """The rows of a step are looked for after its watermark was read, never before."""
    comparison = parted_at(pair, 3)
    reference = comparison.reference
    refresh = reference.refresh

    def refresh_while_the_runs_go_on():
        refresh()
        differing(pair, "optimizer1#0", 2)
        for trace in pair:
            trace.updates(0, 0, first=4)

    reference.refresh = refresh_while_the_runs_go_on
    comparison.advance()
    reference.refresh = refresh
    assert not settled(comparison) or first(comparison).step == 2
    comparison.advance()
    assert settled(comparison)
    assert first(comparison).step == 2


# -- long ones ---------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_length(pair):
    rows = np.arange(2 * 200_000, dtype="<i8").reshape(-1, 2)
    rows[:, 0] = range(200_000)
    for trace in pair:
        trace.writer.table("t", STEP[:1]).append_rows(rows.tobytes())
        rows[199_999, 1] += 1
    comparison = live(pair)
    tracemalloc.start()
    try:
        comparison.advance()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert first(comparison).step == 199_999
    assert comparison.rows_compared == 199_999
