"""The verdict: `identical` needs evidence, and every way to lack it has a twin that has it."""

import os

import pytest

from seedproof.compare.comparison import Comparison
from seedproof.compare.completeness import incompleteness
from seedproof.compare.rows import compared_phases
from seedproof.compare.verdict import judge
from seedproof.trace import reader
from seedproof.trace.format import Column
from traces import Trace

WEIGHTS = (3, 1, 4)


@pytest.fixture
def runs(tmp_path):
    """Makes runs 0, 1, … of three updates each that came to their ends."""

    def make(count=2, **hello):
        made = []
        for index in range(count):
            described = {name: values[index] for name, values in hello.items()}
            made.append(Trace(tmp_path / str(index), **described).updates(*WEIGHTS))
        return made

    return make


def verdict(traces, completed=None, end=True):
    """The verdict on runs, which came to their ends unless `completed` says otherwise."""
    if end:
        for trace in traces:
            trace.end()
    runs = [trace.trace for trace in traces]
    comparisons = {at: Comparison(runs[0], runs[at]) for at in range(1, len(runs))}
    return judge(comparisons, range(len(runs)) if completed is None else completed)


def in_short(found):
    return found.name, found.reason


# -- identical, and its twins in which one bit differs -----------------------------------------


@pytest.mark.parametrize("count", [2, 3, 5])
def test_equal_runs_are_identical(runs, count):
    found = verdict(runs(count))
    assert (found.name, found.reason, found.divergence, found.runs) == ("identical", "", None, None)


@pytest.mark.parametrize("other", [1, 2])
def test_one_bit_in_one_of_them_is_a_divergence(runs, other):
    traces = runs(3)
    for index, trace in enumerate(traces):
        trace.updates(5 ^ (index == other), first=3)
    found = verdict(traces)
    assert (found.name, found.runs, found.divergence.step) == ("diverged", (0, other), 3)


def test_equal_metrics_alone_are_identical(tmp_path):
    traces = [Trace(tmp_path / str(at)).rows("m", (0, 7), columns=METRIC) for at in range(2)]
    assert verdict(traces).name == "identical"


def test_metrics_that_differ_in_one_bit_diverge(tmp_path):
    traces = [Trace(tmp_path / str(at)).rows("m", (0, 7 ^ at), columns=METRIC) for at in range(2)]
    assert verdict(traces).name == "diverged"


METRIC = (Column("metric", "loss", kind="value"),)


def test_the_earliest_divergence_of_all_runs_is_told(runs):
    traces = runs(4)
    for index, (trace, step) in enumerate(zip(traces, (9, 9, 5, 7), strict=True)):
        trace.rows("own", (step, 1 if index == 0 else 2))
        if index == 0:
            trace.rows("own", (9, 1))
    found = verdict(traces)
    assert (found.divergence.step, found.runs) == (5, (0, 2))


def test_of_equally_early_ones_the_first_run_s_is_told(runs):
    traces = runs(3)
    for index, trace in enumerate(traces):
        trace.updates(index, first=3)
    assert verdict(traces).runs == (0, 1)


# -- unknown -----------------------------------------------------------------------------------


def test_a_single_run_proves_nothing(runs):
    assert in_short(verdict(runs(1))) == ("unknown", "a single run was compared with nothing")


def test_a_run_without_a_hello_proves_nothing(runs, tmp_path):
    traces = runs()
    (traces[1].directory / "events.jsonl").unlink()
    assert in_short(verdict(traces, end=False)) == (
        "unknown",
        "run 0: the recording stops after step 2, before the script's end",
    )
    traces[0].end()
    assert in_short(verdict(traces, end=False)) == (
        "unknown",
        "run 1: the recording did not begin",
    )


def test_runs_that_recorded_nothing_prove_nothing(tmp_path):
    found = verdict([Trace(tmp_path / str(at)) for at in range(2)])
    assert in_short(found) == ("unknown", "nothing was recorded, so nothing was compared")
    assert found.nothing_recorded


def test_runs_whose_recording_never_began_prove_nothing(tmp_path):
    comparison = Comparison(*(reader.Trace(tmp_path / str(at)) for at in range(2)))
    found = judge({1: comparison}, [0, 1])
    assert in_short(found) == ("unknown", "the recording did not begin in any run")
    assert found.nothing_recorded


def test_another_doubt_is_not_that_nothing_was_recorded(tmp_path):
    traces = [Trace(tmp_path / str(at)) for at in range(2)]
    traces[1].writer.event("unseen", text="updates")
    found = verdict(traces)
    assert (found.name, found.nothing_recorded) == ("unknown", False)


def test_a_table_without_rows_proves_nothing(tmp_path):
    traces = [Trace(tmp_path / str(at)).rows("t") for at in range(2)]
    assert verdict(traces).name == "unknown"


@pytest.mark.parametrize("failed", [0, 1])
def test_a_run_that_failed_proves_nothing(runs, failed):
    found = verdict(runs(), completed=[1 - failed])
    assert in_short(found) == ("unknown", f"run {failed} did not end successfully")


def test_a_recording_that_stops_early_proves_nothing(runs):
    traces = runs()
    traces[0].end()
    assert in_short(verdict(traces, end=False)) == (
        "unknown",
        "run 1: the recording stops after step 2, before the script's end",
    )


def test_a_recording_that_failed_proves_nothing(runs):
    traces = runs()
    error = "Traceback (most recent call last):\n  File x\nValueError: \x1b[31m" + "so " * 200
    traces[1].writer.event("trouble", where="update", error=error)
    found = verdict(traces)
    assert found.name == "unknown"
    assert found.reason.startswith("run 1: the recording failed in update ValueError: \ufffd[31m")
    assert found.reason.isprintable()
    assert len(found.reason) < 300


def test_updates_that_were_lost_prove_nothing(runs):
    traces = runs()
    for trace in traces:
        trace.writer.watermark(5)
    assert in_short(verdict(traces)) == ("unknown", "run 0: 3 of 5 updates were recorded")


def test_updates_that_were_lost_in_one_run_are_no_divergence(runs):
    traces = runs()
    traces[0].updates(5, 9, first=3)
    traces[1].rows("optimizer0#0", (4, 9)).writer.watermark(5)
    assert in_short(verdict(traces)) == ("unknown", "run 1: 4 of 5 updates were recorded")


def test_a_record_that_was_lost_in_trouble_is_no_divergence(runs):
    traces = runs()
    traces[0].rows("own", (0, 1), (1, 2), (2, 3))
    traces[1].rows("own", (0, 1), (2, 3))
    traces[1].writer.event("trouble", where="record own", error="OSError: no space")
    assert in_short(verdict(traces)) == (
        "unknown",
        "run 1: the recording failed in record own OSError: no space",
    )


def test_a_record_that_was_left_out_without_trouble_is_a_divergence(runs):
    traces = runs()
    traces[0].rows("own", (0, 1), (1, 2), (2, 3))
    traces[1].rows("own", (0, 1), (2, 3))
    assert verdict(traces).divergence.kind == "missing"


def test_more_rows_than_updates_prove_nothing(runs):
    traces = runs()
    for trace in traces:
        trace.rows("optimizer0#0", (3, 1))
    assert in_short(verdict(traces)) == ("unknown", "run 0: 4 of 3 updates were recorded")


def test_other_bits_are_a_divergence_even_where_updates_were_lost(runs):
    traces = runs()
    for index, trace in enumerate(traces):
        trace.rows("optimizer1#0", (8, index)).writer.watermark(5)
    traces[0].updates(5, first=3)
    found = verdict(traces)
    assert (found.name, found.divergence.kind, found.divergence.step) == ("diverged", "bits", 8)


def test_rows_between_compiled_steps_may_stand_for_several_updates(runs):
    traces = runs()
    for trace in traces:
        trace.rows("between#0", (10, 1)).writer.watermark(11)
    assert verdict(traces).name == "identical"


def test_a_copy_that_was_cut_within_a_row_proves_nothing(runs):
    traces = runs()
    for trace in traces:
        trace.rows("own", (0, 1), (1, 2)).end()
    os.truncate(traces[1].directory / "1.rows", 24)
    assert in_short(verdict(traces, end=False)) == (
        "unknown",
        "run 1: its table own ends within a row",
    )


# -- what one run has beyond the other ---------------------------------------------------------


def test_a_complete_run_that_lacks_something_has_diverged(runs):
    traces = runs()
    traces[0].updates(5, first=3)
    assert verdict(traces).divergence.kind == "missing"


@pytest.mark.parametrize("fault", ["failed", "stopped recording", "had trouble"])
def test_an_incomplete_run_that_lacks_something_proves_nothing(runs, fault):
    traces = runs()
    traces[0].updates(5, first=3).end()
    if fault == "had trouble":
        traces[1].writer.event("trouble", where="update", error="E")
    if fault != "stopped recording":
        traces[1].end()
    found = verdict(traces, completed=[0] if fault == "failed" else [0, 1], end=False)
    assert (found.name, found.divergence) == ("unknown", None)


@pytest.mark.parametrize("fault", ["failed", "stopped recording", "had trouble"])
def test_an_incomplete_run_that_differs_has_diverged(runs, fault):
    traces = runs()
    traces[0].updates(5, first=3).end()
    traces[1].updates(6, first=3)
    if fault == "had trouble":
        traces[1].writer.event("trouble", where="update", error="E")
    if fault != "stopped recording":
        traces[1].end()
    found = verdict(traces, completed=[0] if fault == "failed" else [0, 1], end=False)
    assert (found.name, found.divergence.step) == ("diverged", 3)


def test_a_divergence_beats_a_run_that_proves_nothing(runs):
    traces = runs(3)
    for index, trace in enumerate(traces):
        trace.updates(index % 2, first=3)
    traces[0].end()
    traces[1].end()
    assert verdict(traces, completed=[0, 1], end=False).runs == (0, 1)


# -- traces that do not speak of the same ------------------------------------------------------


def test_the_same_digest_of_another_kind_is_compared(runs):
    assert verdict(runs(digest=["x/2", "x/2"])).name == "identical"


def test_two_kinds_of_digest_are_never_compared(runs):
    traces = runs(digest=["ml64/1", "x/\x1b2"])
    traces[1].updates(5, first=3)
    assert in_short(verdict(traces)) == (
        "unknown",
        "run 1: its digests are x/\ufffd2, those of run 0 ml64/1",
    )


@pytest.mark.parametrize("foreign", [0, 1])
def test_another_schema_is_never_compared(runs, foreign):
    schemas = ["seedproof.trace/1", "seedproof.trace/1"]
    schemas[foreign] = "seedproof.trace/2"
    found = verdict(runs(schema=schemas))
    assert in_short(found) == (
        "unknown",
        f"run {foreign}: its trace is of 'seedproof.trace/2', not of seedproof.trace/1",
    )


def test_a_schema_that_both_share_but_nobody_knows_is_unknown(runs):
    assert verdict(runs(schema=["seedproof.trace/2"] * 2)).name == "unknown"


# -- one stream --------------------------------------------------------------------------------


def test_a_whole_stream_lacks_nothing(runs):
    assert incompleteness(runs(1)[0].end().stream) == ""


def test_the_phases_are_those_that_have_rows(tmp_path):
    columns = [Column("data", "x"), Column("update", "w")]
    trace = Trace(tmp_path).rows("t", (0, 1, 2), columns=columns)
    trace.rows("empty", columns=[Column("metric", "loss", kind="value")])
    trace.rows("hint/python#0", (0, 1), columns=[Column("init", "python")])
    assert compared_phases(trace.stream) == {"data", "update"}
