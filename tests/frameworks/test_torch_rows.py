"""Rows are held while training goes on, for a tenth of a second, and written when it is left."""

from __future__ import annotations

import os
import sys

import pytest

from seedproof.inside import held_rows
from seedproof.inside.recorder import Recorder
from seedproof.inside.scope import Scope
from seedproof.trace.format import Column
from seedproof.trace.reader import main_stream
from seedproof.trace.stream import Stream
from seedproof.trace.writer import StreamWriter
from traces import HELLO, rows_of

torch_rows = pytest.importorskip("seedproof.frameworks.torch.rows")
Found = torch_rows.Found

COLUMNS = (Column("update", "w"),)
OTHERS = (Column("data", "x"),)


class Trained:
    """Rows of updates that are made at the times that a test says."""

    def __init__(self, place, clock):
        self._place, self._clock = place, clock
        writer = StreamWriter(str(place / "trace" / "main"))
        writer.event("hello", **HELLO)
        self.recorder = Recorder(writer, Scope({}))
        self.rows = torch_rows.Rows(self.recorder)

    def update(self, step, seconds, word=None):
        self._clock[0] += seconds
        self.rows.put("data", OTHERS, [step + 100])
        self.rows.write_pending(step)
        self.rows.write("optimizer0", COLUMNS, step, [step] if word is None else word)
        self.rows.update_done(step)

    def stream(self):
        found = main_stream(self._place / "trace")
        found.refresh()
        return found

    def written(self):
        """The steps on disk: by the watermark and, if there are any, by each table."""
        stream = self.stream()
        steps = [[step for step, _ in rows_of(stream, key)] for key in stream.tables]
        assert all(of == [*range(stream.watermark())] for of in steps)
        return stream.watermark()


@pytest.fixture
def trained(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(held_rows, "monotonic", lambda: clock[0])
    found = Trained(tmp_path, clock)
    yield found
    found.recorder.finish()


class NotYet(Found):
    """A word that a device computes, and that comes when it is told to."""

    come = False

    def is_there(self):
        return self.come

    def words(self):
        return [7]


def test_slow_steps_are_written_at_once(trained):
    for step in range(3):
        trained.update(step, seconds=0.2)
        assert trained.written() == step + 1


def test_quick_steps_are_written_a_tenth_of_a_second_late(trained):
    written = []
    for step in range(8):
        trained.update(step, seconds=0.03)
        written.append(trained.written())
    assert written == [1, 1, 1, 1, 5, 5, 5, 5]
    assert rows_of(trained.stream(), "data#0") == [(step, step + 100) for step in range(5)]


def test_all_are_written_when_training_is_left(trained):
    for step in range(3):
        trained.update(step, seconds=0.001)
    assert trained.written() == 1
    trained.rows.training_is_left()
    assert trained.written() == 3


def test_all_are_written_in_the_end(trained):
    for step in range(3):
        trained.update(step, seconds=0.001)
    trained.recorder.finish()
    assert trained.written() == 3


def test_rows_of_one_table_keep_their_order_whatever_their_columns_say(trained):
    """Columns of one name are of one table, also where they hold other kinds of words."""
    others = (Column("data", "x", kind="value"),)
    for step in range(3):
        trained.rows.put("data", OTHERS, [10 * step])
        trained.rows.put("data", others, [10 * step + 1])
        trained.rows.write_pending(step)
    trained.rows.training_is_left()
    rows = [(0, 0), (0, 1), (1, 10), (1, 11), (2, 20), (2, 21)]
    assert rows_of(trained.stream(), "data#0") == rows


def test_rows_that_no_update_follows_are_not_held_without_end(trained):
    for _ in range(3 * torch_rows.MOST_PENDING):
        trained.rows.put("data", OTHERS, [1])
    assert len(rows_of(trained.stream(), "data#0")) >= 2 * torch_rows.MOST_PENDING


def test_nobody_else_says_how_far_the_trace_has_come_while_rows_are_held(trained):
    trained.update(0, seconds=0.2)
    trained.update(1, seconds=0.001)
    assert trained.written() == 1
    trained.recorder.update_done(2)
    assert trained.stream().watermark() == 3
    assert [step for step, _ in rows_of(trained.stream(), "data#0")] == [0, 1]


def test_a_record_of_the_script_does_not_overtake_rows_that_are_held(trained):
    trained.rows.put("data", OTHERS, [1])
    trained.rows.write_pending(0)
    trained.recorder.record("own", 1, None, "output")
    assert rows_of(trained.stream(), "data#0") == [(0, 1)]


def test_of_two_threads_the_slower_does_not_take_steps_back(trained):
    trained.update(0, seconds=0.2)
    for step in (2, 1):
        trained.recorder.held.hold_step(step)
    trained.recorder.finish()
    assert trained.stream().watermark() == 3


def test_what_was_lost_is_never_said_to_be_written(trained, monkeypatch):
    trained.update(0, seconds=0.2)
    trained.update(1, seconds=0.001)

    def interrupted(rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(trained.recorder.held, "_write_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained.update(2, seconds=0.2)
    monkeypatch.undo()
    trained.recorder.held._written_at = 0
    trained.update(3, seconds=0.2)
    trained.recorder.finish()
    assert trained.stream().watermark() == 1


def test_a_signal_handler_that_comes_in_between_leaves_the_writing_to_whom_it_met(trained):
    trained.update(0, seconds=0.2)
    trained.update(1, seconds=0.001)
    write = trained.recorder.held._write_rows

    def interrupted(rows):
        trained.recorder.held.write()
        assert trained.stream().watermark() == 1
        write(rows)

    trained.recorder.held._write_rows = interrupted
    trained.rows.training_is_left()
    assert trained.written() == 2


def test_a_row_that_a_device_computes_is_waited_for_by_those_that_follow(trained):
    word = NotYet()
    trained.update(0, seconds=0.2)
    trained.update(1, seconds=0.2, word=word)
    trained.update(2, seconds=0.2)
    trained.recorder.drain()
    assert trained.stream().watermark() == 1
    word.come = True
    trained.recorder.drain()
    assert trained.written() == 3
    assert rows_of(trained.stream(), "optimizer0#0") == [(0, 0), (1, 7), (2, 2)]


TRAINED = """
import os, signal, seedproof, torch

model = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(4, 3)).sum().backward()
    optimizer.step()
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize(
    "leave", ["model.eval()(torch.ones(4, 3))", "with torch.no_grad(): model(torch.ones(4, 3))"]
)
def test_a_script_that_evaluates_before_it_is_killed_has_left_all_steps(leave, seedproof, script):
    name = script(f"{TRAINED}{leave}\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert "was killed by SIGKILL" in seedproof("run", "--python", sys.executable, name).err
    assert steps_of(seedproof) == {"main": 3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("steps", [0, 2])
def test_a_fork_has_the_steps_that_it_makes_itself(steps, seedproof, script):
    more = f"""
if os.fork():
    os.wait()
else:
    for _ in range({steps}):
        optimizer.step()
    seedproof.record("of the fork", 1)
"""
    assert seedproof("run", "--python", sys.executable, script(TRAINED + more)).status == 0
    left = steps_of(seedproof)
    assert left.pop("main") == 3
    assert list(left.values()) == [3 + steps if steps else 0]


def steps_of(seedproof):
    """How many steps each stream of the only run says it has."""
    (trace,) = (seedproof.directory / ".seedproof" / "runs").glob("*/as-is/0/trace")
    streams = [Stream(hello.parent) for hello in trace.rglob("events.jsonl")]
    return {str(one.directory.relative_to(trace)): one.watermark() for one in streams}
