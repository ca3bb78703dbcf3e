"""A table has its share of the disk; beyond it one digest per phase stands for all tensors."""

import pytest

from seedproof.trace import folding
from seedproof.trace.format import VALUE, Column
from traces import Trace, rows_of

COLUMNS = (Column("backward", "a"), Column("update", "a"), Column("update", "b"))


@pytest.fixture(autouse=True)
def room_for_two_rows(monkeypatch):
    monkeypatch.setattr(folding, "TABLE_BYTES", 2 * 8 * 4 + 7)


def test_rows_beyond_the_share_are_folded(tmp_path):
    trace = Trace(tmp_path).rows("t#0", *((step, 1, 2, 3) for step in range(5)), columns=COLUMNS)
    assert rows_of(trace.stream, "t#0") == [(0, 1, 2, 3), (1, 1, 2, 3)]
    folded = trace.stream.tables["t#0~"]
    assert [column.phase for column in folded.columns] == ["backward", "update"]
    assert [row[0] for row in rows_of(trace.stream, "t#0~")] == [2, 3, 4]


@pytest.mark.parametrize("other", [(1, 3, 2), (2, 2, 3), (1, 2, 4)])
def test_a_folded_row_shows_every_difference(tmp_path, other):
    words = [(1, 2, 3), other]
    folded = []
    for name, last in zip("ab", words, strict=True):
        trace = Trace(tmp_path / name)
        trace.rows("t#0", (0, 0, 0, 0), (1, 0, 0, 0), (2, *last), columns=COLUMNS)
        folded += rows_of(trace.stream, "t#0~")
    assert folded[0] != folded[1]


def test_rows_that_come_in_a_batch_are_parted_at_the_same_row(tmp_path):
    one, batch = Trace(tmp_path / "one"), Trace(tmp_path / "batch")
    one.rows("t#0", *((step, 1, 2, 3) for step in range(4)), columns=COLUMNS)
    rows = b"".join(word.to_bytes(8, "little") for step in range(4) for word in (step, 1, 2, 3))
    batch.writer.table("t#0", COLUMNS).append_rows(rows)
    for key in ("t#0", "t#0~"):
        assert rows_of(one.stream, key) == rows_of(batch.stream, key)


def test_metrics_are_never_folded(tmp_path):
    column = (Column("metric", "loss", kind=VALUE),)
    trace = Trace(tmp_path).rows("m#0", *((step, 1) for step in range(99)), columns=column)
    assert list(trace.stream.tables) == ["m#0"]
