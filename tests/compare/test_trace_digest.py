"""One digest for a whole trace: equal where the verdict is identical, other where it is not."""

import itertools

import pytest

from seedproof.compare.trace_digest import trace_digest
from seedproof.trace.format import Column
from traces import Trace

DATA = (Column("data", "x"),)


@pytest.fixture
def digest(tmp_path):
    """The digest of a small trace that `write` adds to."""
    numbers = itertools.count()

    def make(write=None, **hello):
        trace = Trace(tmp_path / str(next(numbers)), **hello)
        trace.updates(1, 2, 3).rows("own", (0, 7))
        if write is not None:
            write(trace)
        return trace_digest(trace.trace)

    return make


def test_it_is_64_hexadecimal_digits(digest):
    assert len(bytes.fromhex(digest())) == 32


@pytest.mark.parametrize(
    "write",
    [
        lambda trace: trace.end(),
        lambda trace: trace.keep("w", [1.0]),
        lambda trace: trace.writer.event("note", text="anything"),
        lambda trace: trace.rows("without rows"),
        lambda trace: trace.writer.watermark(9),
        lambda trace: trace.rows("hint/python#0", (0, 1)),
        lambda trace: trace.beside("rank0"),
        lambda trace: trace.beside("main/worker1").rows("data/x#0", (0, 1), columns=DATA),
    ],
)
def test_what_is_not_compared_does_not_count(digest, write):
    assert digest(write) == digest()


def test_when_and_how_it_ran_does_not_count(digest):
    assert digest(at=1.0, cpu=9.0, pins={"seeds": 1}) == digest()


@pytest.mark.parametrize(
    "write",
    [
        lambda trace: trace.updates(4, first=3),
        lambda trace: trace.rows("own", (1, 7)),
        lambda trace: trace.rows("another", (0, 7)),
        lambda trace: trace.beside("rank0").rows("own", (0, 7)),
        lambda trace: trace.beside("main/worker1").rows("data/x#0", (0, 1), columns=DATA).end(),
    ],
)
def test_one_more_row_counts(digest, write):
    assert digest(write) != digest()


def test_every_part_of_a_row_counts(digest):
    def written(key="t", step=0, word=1, **column):
        columns = [Column(**{"phase": "update", "name": "w", **column})]
        return digest(lambda trace: trace.rows(key, (step, word), columns=columns))

    variants = [{}, {"key": "u"}, {"step": 1}, {"word": 2**63 + 1}, {"phase": "backward"}]
    variants += [{"name": "v"}, {"kind": "value"}]
    assert len({written(**variant) for variant in variants}) == len(variants)


def test_the_process_of_a_row_counts(digest):
    def written(*roles):
        return digest(lambda trace: [trace.beside(role).rows("t", (0, 1)).end() for role in roles])

    assert written("rank0") != written("rank1")
    assert written("rank0", "rank1") == written("rank1", "rank0")


def test_only_steps_in_scope_count(tmp_path):
    traces = [Trace(tmp_path / str(last)).updates(1, 2, last).trace for last in (3, 4)]
    assert len({trace_digest(trace, 2) for trace in traces}) == 1
    assert len({trace_digest(trace, 3) for trace in traces}) == 2


def test_the_shape_that_was_met_first_is_already_in_the_rows(digest):
    def written(shape):
        columns = [Column("data", "x", dtype="int8", shape=shape)]
        return digest(lambda trace: trace.rows("t", (0, 1), columns=columns))

    assert written((None, 2)) == written((100, 2))


def test_the_order_in_which_tables_appeared_does_not_count(digest):
    def written(*keys):
        return digest(lambda trace: [trace.rows(key, (0, 1)) for key in keys])

    assert written("a", "b") == written("b", "a")


def test_digests_of_two_kinds_are_never_the_same(digest):
    assert digest(digest="x/2") != digest()


def test_half_a_row_does_not_count(digest):
    def begin_a_row(trace):
        trace.writer.close()
        with (trace.directory / "0.rows").open("ab") as file:
            file.write(b"\1\2\3")

    assert digest(begin_a_row) == digest()


def test_a_table_of_many_blocks_counts_to_its_last_row(digest):
    def long(last):
        return digest(
            lambda trace: trace.writer.table("t", [Column("update", "w")]).append_rows(
                bytes(16 * 200_000) + bytes(15) + bytes([last])
            )
        )

    assert long(0) == long(0)
    assert long(0) != long(1)
