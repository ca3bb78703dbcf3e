"""Ranks of one run held against each other: equal weights after each update, or not."""

import numpy as np
import pytest

from seedproof.compare.ranks import RankAgreement, compare_ranks
from seedproof.trace.format import FARM_DIGEST, Column
from traces import Trace

W, V = (Column("update", name, dtype="float32", shape=(2,)) for name in "wv")
GRADIENTS = (Column("backward", "w"), Column("backward", "v"))
BATCH = Column("data", "batch/0")


@pytest.fixture
def ranks(tmp_path):
    """Makes ranks 0, 1, … of a run that `main` has launched."""
    main = Trace(tmp_path)
    return lambda count=2: [main.beside(f"rank{at}", world_size=count) for at in range(count)]


def agreements(ranks, steps=None):
    return compare_ranks(ranks[0].trace, steps)


def trained(rank, *rows, columns=(BATCH, W, V)):
    """One update each: the step, then the digest of the batch and of each weight."""
    return rank.rows("optimizer0#0", *rows, columns=columns)


def test_a_run_without_ranks_has_none_to_compare(tmp_path):
    assert compare_ranks(Trace(tmp_path).updates(1).trace) == ()


def test_ranks_of_equal_weights_agree_whatever_their_batches(ranks):
    both = ranks()
    for at, rank in enumerate(both):
        trained(rank, (0, at, 5, 6), (1, 7 + at, 8, 9))
    assert agreements(both) == (RankAgreement(1, True, times=2),)


def test_weights_that_a_graph_has_digested_are_weights_too(ranks):
    both = ranks()
    for at, rank in enumerate(both):
        trained(rank, (0, 5 + at), columns=(W._replace(kind=FARM_DIGEST),))
    assert agreements(both) == (RankAgreement(1, False, 0, step=0, name="w"),)


def test_the_first_update_after_which_they_differ_is_told_with_a_weight(ranks):
    both = ranks()
    for at, rank in enumerate(both):
        trained(rank, (0, 1, 5, 6), (1, 1, 5, 6 + at), (2, 1, 9 + at, 9))
    assert agreements(both) == (RankAgreement(1, False, 1, step=1, name="v"),)


def test_each_rank_is_held_against_the_first(ranks):
    three = ranks(3)
    for at, rank in enumerate(three):
        trained(rank, (0, 1, 5, 6 + (at == 2)))
    assert [(one.rank, one.equal) for one in agreements(three)] == [(1, True), (2, False)]


def test_where_the_script_is_the_first_rank_it_is_compared(tmp_path):
    main = trained(Trace(tmp_path), (0, 1, 5, 6))
    trained(main.beside("rank1"), (0, 1, 5, 7))
    assert agreements([main]) == (RankAgreement(1, False, 0, step=0, name="v"),)


def test_the_earliest_of_several_tables_is_told(ranks):
    both = ranks()
    for at, rank in enumerate(both):
        rank.rows("optimizer0#0", (0, 1), (4, at), columns=[W])
        rank.rows("optimizer1#0", (1, 1), (3, at), columns=[V])
    assert agreements(both) == (RankAgreement(1, False, 2, step=3, name="v"),)


def test_statistics_of_own_batches_are_no_weights(ranks):
    both = ranks()
    columns = (*GRADIENTS, W, V, Column("update", "norm/mean"))
    for at, rank in enumerate(both):
        trained(rank, (0, 1, 2, 3, 4, at), columns=columns)
        rank.rows("update/model#0", (0, 3, at), columns=[W, Column("update", "norm/mean")])
    assert agreements(both)[0].equal


@pytest.mark.parametrize(
    "other",
    [
        [W],
        [W, Column("update", "u", dtype="float32", shape=(2,))],
        [W, V._replace(shape=(1,))],
        [W, V._replace(dtype="float64")],
        [V, W],
    ],
)
def test_weights_that_are_sharded_cannot_be_compared(ranks, other):
    both = ranks()
    trained(both[0], (0, 1, 2), columns=[W, V])
    trained(both[1], (0, *range(len(other))), columns=other)
    assert agreements(both) == (
        RankAgreement(1, None, reason="their weights have other names or shapes"),
    )


def test_ranks_that_record_no_weights_cannot_be_compared(ranks):
    both = ranks()
    trained(both[0], (0, 1, 5, 6))
    both[1].rows("data/x#0", (0, 1), columns=[BATCH])
    (found,) = agreements(both)
    assert (found.equal, found.reason) == (None, "nothing was recorded of the same weights")


def test_ranks_of_other_steps_cannot_be_compared(ranks):
    both = ranks()
    trained(both[0], (0, 1, 5, 6), (2, 1, 5, 6))
    trained(both[1], (0, 1, 5, 6), (1, 1, 5, 6))
    (found,) = agreements(both)
    assert (found.equal, found.reason) == (None, "they did not make the same steps")


def test_what_one_rank_alone_has_recorded_is_left_out(ranks):
    both = ranks()
    for rank in both:
        trained(rank, (0, 1, 5, 6))
    both[0].rows("update/ema#0", (0, 1), columns=[W])
    trained(both[1], (1, 1, 8, 9))
    assert agreements(both) == (RankAgreement(1, True, times=1),)


def test_only_steps_in_scope_count(ranks):
    both = ranks()
    for at, rank in enumerate(both):
        trained(rank, (0, 1, 5, 6), (1, 1, 5, 6), (2, 1, 5, 6 + at))
    assert agreements(both, 2) == (RankAgreement(1, True, times=2),)


def test_long_trainings_are_compared_to_their_last_row(ranks):
    both = ranks()
    rows = np.arange(2 * 200_000, dtype="<i8").reshape(-1, 2)
    for at, rank in enumerate(both):
        rows[-1, 1] = at
        rank.writer.table("optimizer0#0", [W]).append_rows(rows.tobytes())
    assert agreements(both) == (RankAgreement(1, False, 199_999, int(rows[-1, 0]), "w"),)
