"""Rows of digests come out in their order, whatever a device has yet to compute."""

from __future__ import annotations

import numpy as np
import pytest

from processes import wait_for
from seedproof.inside.recorder import Recorder
from seedproof.trace.digest import digest_array
from seedproof.trace.format import Column
from seedproof.trace.reader import main_stream
from seedproof.trace.writer import StreamWriter
from traces import HELLO, rows_of

jnp = pytest.importorskip("jax.numpy")
on_device = pytest.importorskip("seedproof.frameworks.jax.device_digest")
jax_calls = pytest.importorskip("seedproof.frameworks.jax.calls")
jax_rows = pytest.importorskip("seedproof.frameworks.jax.rows")

COLUMNS = (Column("update", "w"),)
ARRAY = np.arange(5, dtype="float32")


@pytest.fixture
def stream_of(tmp_path):
    writer = StreamWriter(str(tmp_path / "trace" / "main"))
    writer.event("hello", **HELLO)
    recorder = Recorder(writer)

    def stream():
        found = main_stream(tmp_path / "trace")
        found.refresh()
        return found

    yield recorder, stream
    recorder.finish()
    writer.close()


def late():
    (found,) = on_device.digests([jnp.asarray(ARRAY)], ["float32"])
    return found


class NotYet:
    """A digest that comes when it is told to."""

    come = False

    def is_there(self):
        return self.come

    def __int__(self):
        return 7


def test_what_is_known_is_written_at_once(stream_of):
    recorder, stream = stream_of
    jax_rows.Rows(recorder).put("call/f", COLUMNS, 0, [5])
    assert rows_of(stream(), "call/f#0") == [(0, 5)]


def test_what_a_device_computes_is_written_when_it_has_come(stream_of):
    recorder, stream = stream_of
    rows = jax_rows.Rows(recorder)
    rows.put("call/f", COLUMNS, 0, [late()])
    rows.update_done(0)
    wait_for(lambda: stream().watermark() == 1)
    assert rows_of(stream(), "call/f#0") == [(0, digest_array(ARRAY))]


def test_nothing_overtakes_a_row_that_waits(stream_of):
    recorder, stream = stream_of
    rows, first = jax_rows.Rows(recorder), NotYet()
    rows.put("call/f", COLUMNS, 0, [first])
    rows.put("call/f", COLUMNS, 1, [5])
    rows.update_done(1)
    recorder.drain()
    assert stream().tables == {}
    assert stream().watermark() == 0
    first.come = True
    wait_for(lambda: stream().watermark() == 2)
    assert rows_of(stream(), "call/f#0") == [(0, 7), (1, 5)]


def test_at_the_end_what_waits_is_waited_for(stream_of):
    recorder, stream = stream_of
    rows = jax_rows.Rows(recorder)
    rows.put("call/f", COLUMNS, 0, [NotYet()])
    rows.flush()
    assert rows_of(stream(), "call/f#0") == [(0, 7)]


def test_memory_does_not_grow_with_what_waits(stream_of, monkeypatch):
    monkeypatch.setattr(jax_rows, "MOST_WAITING", 2)
    recorder, stream = stream_of
    rows = jax_rows.Rows(recorder)
    for step in range(3):
        rows.put("call/f", COLUMNS, step, [NotYet()])
    assert rows_of(stream(), "call/f#0") == [(0, 7)]


@pytest.mark.parametrize(("role", "told_at_once"), [("main", False), ("main/worker1", True)])
def test_what_a_worker_leaves_out_is_told_before_it_can_be_ended(
    role, told_at_once, stream_of, monkeypatch
):
    recorder, stream = stream_of
    monkeypatch.setattr(Recorder, "role", role)
    jax_calls.Calls(recorder).leaves_out("updates elsewhere")
    assert [event["text"] for event in stream().all("unseen")] == [
        "updates elsewhere"
    ] * told_at_once
    recorder.finish()
    assert [event["text"] for event in stream().all("unseen")] == ["updates elsewhere"]


def test_what_is_left_out_is_not_told_where_the_script_records_afterwards(stream_of):
    recorder, stream = stream_of
    calls = jax_calls.Calls(recorder)
    recorder.record("before", 1.0, None, "output")
    calls.leaves_out("updates elsewhere")
    recorder.record("after", 1.0, None, "output")
    calls.leaves_out("gradients elsewhere")
    recorder.finish()
    assert [event["text"] for event in stream().all("unseen")] == ["gradients elsewhere"]
