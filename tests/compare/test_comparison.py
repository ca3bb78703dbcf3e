"""Two runs of several processes: the earliest difference of all, live and at the end."""

import itertools

import pytest

from seedproof.compare.comparison import Comparison
from seedproof.compare.verdict import judge
from seedproof.trace.format import Column
from traces import Trace


@pytest.fixture
def pair(tmp_path):
    """Two runs whose `main` has begun."""
    return Trace(tmp_path / "0"), Trace(tmp_path / "1")


@pytest.fixture
def ranks(pair):
    """The two ranks of each of the two runs, which `main` has launched."""
    return [[run.beside(f"rank{at}", world_size=2) for at in range(2)] for run in pair]


def live(pair, steps=None):
    comparison = Comparison(*(run.trace for run in pair), steps)
    comparison.advance()
    return comparison


def finished(pair, steps=None):
    for run in pair:
        run.end()
    comparison = live(pair, steps)
    comparison.finish()
    return comparison


def verdict(pair, steps=None):
    return judge({1: Comparison(*(run.trace for run in pair), steps)}, [0, 1])


def differing(streams, step, phase="update"):
    """A table that differs at one step, in two streams."""
    for word, stream in enumerate(streams):
        stream.rows("t", (step, word), columns=[Column(phase, "w")])


def places(comparison):
    return [(found.stream, found.step, found.phase) for found in comparison.divergences()]


# -- the earliest of all streams ---------------------------------------------------------------


@pytest.mark.parametrize("steps", [*itertools.permutations((1, 2, 3))])
def test_the_earliest_step_comes_first_whatever_the_stream(pair, ranks, steps):
    streams = [pair, *zip(*ranks, strict=True)]
    for step, twins in zip(steps, streams, strict=True):
        differing(twins, step)
    assert [step for _, step, _ in places(live(pair))] == [1, 2, 3]


def test_of_one_step_the_earliest_phase_comes_first(pair, ranks):
    for twins, phase in zip(zip(*ranks, strict=True), ("update", "data"), strict=True):
        differing(twins, 4, phase)
    assert places(live(pair)) == [("rank1", 4, "data"), ("rank0", 4, "update")]


def test_of_one_step_and_phase_the_first_role_comes_first(pair):
    roles = ["rank10", "rank2", "main/worker10", "main/worker2", "main/a.py"]
    for role in roles:
        differing([run.beside(role) for run in pair], 4)
    differing(pair, 4)
    found = [stream for stream, _, _ in places(live(pair))]
    assert found == ["main", "main/a.py", "main/worker2", "main/worker10", "rank2", "rank10"]


def test_streams_that_come_later_are_compared_too(pair):
    comparison = live(pair)
    late = [run.beside("main/worker1") for run in pair]
    differing(late, 3)
    comparison.advance()
    assert places(comparison) == [("main/worker1", 3, "update")]


def test_a_stream_that_one_run_has_not_begun_yet_is_waited_for(pair):
    differing([pair[0].beside("main/worker1")], 3)
    comparison = live(pair)
    assert comparison.first() is None
    pair[1].beside("main/worker1").rows("t", (3, 7), columns=[Column("update", "w")])
    comparison.advance()
    assert comparison.first().stream == "main/worker1"


def test_records_are_counted_over_all_streams(pair, ranks):
    for stream in (*pair, *ranks[0], *ranks[1]):
        stream.updates(1, 2)
    comparison = live(pair)
    assert (comparison.rows_compared, comparison.words_compared) == (6, 6)


def test_a_stream_that_one_run_lacks_parts_them_at_its_first_record(pair):
    own = pair[1].beside("main/a.py").rows("late", (5, 1)).rows("early", (2, 1))
    own.rows("data", (2, 1), columns=[Column("data", "x")]).end()
    assert places(finished(pair)) == [("main/a.py", 2, "data")]


# -- how far the runs were meant to go ---------------------------------------------------------


@pytest.mark.parametrize(("steps", "found"), [(None, 5), (6, 5), (5, None), (1, None)])
def test_what_lies_beyond_the_last_step_is_ignored(pair, steps, found):
    for run, word in zip(pair, (1, 2), strict=True):
        run.updates(0, 1, 2, 3, 4, word)
    first = finished(pair, steps).first()
    assert (first and first.step) == found


@pytest.mark.parametrize("overshoot", [(0, 3), (3, 0), (2, 5)])
def test_runs_that_overshot_by_more_or_less_are_identical(pair, overshoot):
    for run, more in zip(pair, overshoot, strict=True):
        run.updates(*range(4 + more)).end(stopped_after=4)
    assert verdict(pair, 4).name == "identical"
    assert verdict(pair).name == "identical"


@pytest.mark.parametrize("short", [0, 1])
def test_a_run_that_was_ended_on_purpose_is_held_against_a_whole_one_as_far_as_it_goes(pair, short):
    pair[short].updates(1, 2).end(stopped_after=2)
    pair[1 - short].updates(1, 2, 3, 4).end()
    assert verdict(pair).name == "identical"


def test_a_step_that_is_lacking_before_the_end_on_purpose_is_a_divergence(pair):
    pair[0].rows("own", (0, 1), (1, 2), (2, 3)).end(stopped_after=3)
    pair[1].rows("own", (0, 1), (1, 2)).end(stopped_after=3)
    assert verdict(pair, 3).divergence.step == 2


def test_what_was_found_beyond_the_end_on_purpose_is_forgotten(pair):
    for run, word in zip(pair, (1, 2), strict=True):
        run.rows("own", (0, 7), (5, word), (1, 8))  # not in the order of the steps
    comparison = live(pair)
    assert comparison.first().step == 5
    for run in pair:
        run.end(stopped_after=2)
    comparison.advance()
    assert (comparison.first(), comparison.rows_compared) == (None, 2)


def test_a_step_in_scope_is_compared_wherever_it_stands(pair):
    for run, word in zip(pair, (1, 2), strict=True):
        run.rows("own", (9, 7 * word), (8, 5), (1, word))
    assert [found.step for found in finished(pair, 5).divergences()] == [1]


def test_a_run_that_has_gone_beyond_the_scope_is_whole_without_an_end(pair):
    for run in pair:
        run.updates(1, 2, 3, 4)
    assert verdict(pair, 3).name == "identical"
    assert verdict(pair, 4).reason.startswith("run 0: the recording stops after step 3")


def test_updates_beyond_the_scope_fill_no_gap_within(pair):
    for run in pair:
        run.updates(1, 2)
        run.rows("optimizer0#0", (3, 4), (4, 5)).writer.watermark(5)
        run.end()
    assert verdict(pair, 4).reason == "run 0: 3 of 4 updates were recorded"


# -- what trains together ----------------------------------------------------------------------


def test_a_rank_that_never_came_proves_nothing(pair):
    for run in pair:
        run.updates(1).end()
        run.beside("rank0", world_size=2).updates(1).end()
    assert verdict(pair).reason == "run 0: rank 1 of 2 left no recording"


def test_a_rank_that_does_not_say_how_many_there_are_misses_none(pair):
    for run in pair:
        run.updates(1).end()
        run.beside("rank1", world_size=None).updates(1).end()
    assert verdict(pair).name == "identical"


def test_each_stream_is_held_to_be_whole_by_itself(pair):
    for run, more in zip(pair, (0, 1), strict=True):
        run.end()
        run.beside("main/a.py").updates(1).rows("own", *[(0, 1)] * (1 + more)).end()
        broken = run.beside("main/b.py").updates(1)
        broken.writer.event("trouble", where="x", error="E")
    first = verdict(pair).divergence
    assert (first.stream, first.kind) == ("main/a.py", "extra")


@pytest.mark.parametrize("role", ["main/a.py", "rank0", "main/worker1.py", "main/fork"])
def test_what_trains_in_another_process_must_have_come_to_its_end(pair, role):
    for run in pair:
        run.updates(1).end()
        run.beside(role).updates(1)
    assert verdict(pair).reason == (
        f"run 0: {role}: the recording stops after step 0, before the script's end"
    )


@pytest.mark.parametrize("role", ["main/worker1", "rank0/fork3", "main/worker1/worker2"])
def test_a_worker_that_trains_must_have_come_to_its_end_as_well(pair, role):
    for run in pair:
        run.end()
        run.beside(role).updates(1)
    reason = verdict(pair).reason
    assert "the recording stops after step 0, before the script's end (a pool that ends" in reason
    assert reason.endswith("pool.close(), then pool.join())")


def test_in_processes_that_nobody_looked_at_a_stream_may_be_lacking(pair):
    (pair[1].root / "others").touch()
    pair[0].updates(1).end()
    pair[0].beside("main/a.py").updates(1).end()
    pair[1].updates(1).end()
    found = verdict(pair)
    assert (found.name, found.reason) == (
        "unknown",
        "run 1: another process of it used a framework and was not looked at",
    )


# -- workers that were ended from outside ------------------------------------------------------


def worker(run, *words):
    data = [Column("data", "x")]
    return run.beside("main/worker1").rows("data/x#0", *enumerate(words), columns=data)


@pytest.mark.parametrize(
    ("ours", "theirs", "compared"), [((1, 2), (1, 2, 3), 2), ((), (1,), 0), ((1, 2), (1,), 1)]
)
def test_a_note_says_how_far_a_worker_was_compared(pair, ours, theirs, compared):
    for run, words in zip(pair, (ours, theirs), strict=True):
        worker(run, *words)
        run.updates(1)
    (note,) = finished(pair).notes()
    assert note.startswith("main/worker1 was ended from outside")
    assert note.endswith(f": {compared} records of it were compared")


def test_a_worker_that_was_compared_whole_needs_no_note(pair):
    for run in pair:
        worker(run, 1, 2)
    assert finished(pair).notes() == []


def test_a_run_that_was_ended_on_purpose_ends_its_workers_anywhere(pair):
    for run, words in zip(pair, ((1, 2), (1,)), strict=True):
        worker(run, *words).end()
        run.updates(1).end(stopped_after=5)
    assert verdict(pair).name == "identical"


# -- processes that cannot be told apart -------------------------------------------------------


@pytest.mark.parametrize("differs", ["main/a.py", "main/a.py#1", "main/a.py#1/worker1"])
def test_none_of_them_proves_anything(pair, differs):
    for word, run in enumerate(pair):
        run.updates(1).end()
        for role in ("main/a.py", "main/a.py#1", "main/a.py#1/worker1"):
            stream = run.beside(role).rows("t", (0, word if role == differs else 7))
            if role == "main/a.py#1":
                stream.writer.event("ambiguous")
            stream.end()
    assert verdict(pair).reason == (
        f"run 1: several processes were {differs} at once and cannot be told apart"
    )


def test_one_after_the_other_they_can_be_told_apart(pair):
    for word, run in enumerate(pair):
        run.updates(1).end()
        run.beside("main/a.py").rows("t", (0, 7)).end()
        run.beside("main/a.py#1").rows("t", (0, word)).end()
    assert verdict(pair).divergence.stream == "main/a.py#1"


def test_threads_that_train_at_once_prove_nothing(pair):
    for word, run in enumerate(pair):
        run.updates(1, word).writer.event("ambiguous", why="several threads train at once")
        run.end()
    assert verdict(pair).reason == "run 1: several threads train at once"


def test_a_later_certain_difference_is_told_all_the_same(pair):
    for word, run in enumerate(pair):
        run.beside("main/a.py").rows("t", (0, word)).writer.event("ambiguous")
    differing(pair, 3)
    assert places(live(pair)) == [("main", 3, "update")]


# -- hints -------------------------------------------------------------------------------------


def states(run, *rows, name="python"):
    """The state of a random generator, at some steps."""
    return run.rows(f"hint/{name}#0", *rows, columns=[Column("init", name)])


def test_hints_tell_which_generator_differed_first(pair):
    for word, run in enumerate(pair):
        states(run.updates(1), (0, 1), (5, word))
        states(run, (0, 2), (3, word), name="numpy")
        states(run.beside("main/worker1"), (4, word), name="random")
    comparison = finished(pair)
    assert [(hint.name, hint.step, hint.stream) for hint in comparison.hints()] == [
        ("numpy", 3, "main"),
        ("random", 4, "main/worker1"),
        ("python", 5, "main"),
    ]
    assert comparison.first() is None


def test_hints_alone_are_no_records(pair):
    for run in pair:
        states(run, (0, 1)).end()
    assert verdict(pair).reason == "nothing was recorded, so nothing was compared"


# -- when the first divergence is sure to be the first -----------------------------------------


def both(pair_or_ranks, *words, first=0):
    for stream in pair_or_ranks:
        stream.updates(*words, first=first)


def test_it_is_settled_once_every_rank_has_gone_on(pair, ranks):
    twins = list(zip(*ranks, strict=True))
    differing(twins[0], 2)
    comparison = live(pair)
    for stream in (*twins[0], *twins[1]):
        comparison.advance()
        assert not comparison.settled()
        stream.updates(0, 0, 0, 0)
    comparison.advance()
    assert comparison.settled()


def test_a_rank_that_has_not_come_yet_is_waited_for(pair):
    alone = [run.beside("rank0", world_size=2) for run in pair]
    differing(alone, 0)
    both(alone, 0, 0)
    comparison = live(pair)
    assert not comparison.settled()
    late = [run.beside("rank1", world_size=2) for run in pair]
    both(late, 0, 0)
    comparison.advance()
    assert comparison.settled()


def test_a_launcher_that_makes_no_steps_is_not_waited_for(pair, ranks):
    for twins in zip(*ranks, strict=True):
        differing(twins, 0)
        both(twins, 0, 0)
    assert live(pair).settled()


def test_a_worker_is_not_waited_for(pair):
    for run in pair:
        worker(run, 1)
    differing(pair, 3)
    both(pair, *range(5))
    assert live(pair).settled()
