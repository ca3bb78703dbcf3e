"""The records of one process: their steps and tables, the draining, and how a recording ends."""

import os
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

from conftest import environment
from processes import wait_for
from seedproof.compare.completeness import incompleteness
from seedproof.compare.distance import kept_array
from seedproof.inside import kept_values
from seedproof.inside.recorder import Recorder
from seedproof.trace.digest import digest_array
from seedproof.trace.format import Column
from seedproof.trace.reader import main_stream
from seedproof.trace.writer import StreamWriter
from traces import HELLO, recorded, rows_of


class Recording:
    """A recorder in this process, and what it has written."""

    def __init__(self, directory):
        self.directory = directory
        self.writer = StreamWriter(str(directory / "main"))
        self.writer.event("hello", **HELLO)
        self.recorder = Recorder(self.writer)

    def record(self, name, value, step=None, phase="output", keep=False):
        self.recorder.record(name, value, step, phase, keep)

    @property
    def stream(self):
        stream = main_stream(self.directory)
        stream.refresh()
        return stream

    def steps(self, key):
        return [row[0] for row in rows_of(self.stream, key)]


@pytest.fixture
def recording(tmp_path):
    recording = Recording(tmp_path)
    yield recording
    recording.recorder.finish()
    recording.writer.close()


# -- tables ------------------------------------------------------------------------------------


def test_a_record_is_a_row_of_digests(recording):
    arrays = [np.arange(3.0), np.int8([[1]])]
    recording.record("w", {"b": arrays[1], "a": arrays[0]})
    table = recording.stream.tables["output/w#0"]
    assert table.columns == (
        Column("output", "w/a", dtype="float64", shape=(3,)),
        Column("output", "w/b", dtype="int8", shape=(1, 1)),
    )
    assert rows_of(recording.stream, table.key) == [(0, *map(digest_array, arrays))]


def test_each_layout_of_a_name_has_a_table(recording):
    for value in ([1.0], [1.0, 2.0], [3.0], {"0": 1.0}):
        recording.record("w", value)
    assert recording.steps("output/w#0") == [0, 2, 3]
    assert recording.steps("output/w#1") == [1]


def test_another_shape_is_the_same_table(recording):
    for size in (1, 2):
        recording.record("w", np.zeros(size))
    assert recording.steps("output/w#0") == [0, 1]


def test_the_same_name_in_another_phase_is_another_table(recording):
    for phase in ("forward", "backward"):
        recording.record("w", 1.0, phase=phase)
    assert set(recording.stream.tables) == {"forward/w#0", "backward/w#0"}


def test_names_cannot_be_taken_for_others(recording):
    for name in ("a", "a#0", "a#0#0", "optimizer0#0"):
        recording.record(name, 1.0)
    assert all(len(recording.steps(key)) == 1 for key in recording.stream.tables)
    assert not any(key.startswith("optimizer") for key in recording.stream.tables)


def test_what_is_empty_is_no_record(recording):
    recording.record("w", [])
    assert recording.stream.tables == {}


@pytest.mark.parametrize("value", [0.1, -0.0, float("nan"), float("inf"), 3, np.float32(0.1)])
def test_a_metric_is_kept_at_full_precision(recording, value):
    recording.recorder.metrics("fit", {"loss": value, "accuracy": 0.5}, fold=2)
    ((key, table),) = recording.stream.tables.items()
    assert [(column.name, column.kind, column.fold) for column in table.columns] == [
        ("accuracy", "value", 2),
        ("loss", "value", 2),
    ]
    bits = struct.unpack("<2Q", struct.pack("<2d", 0.5, value))
    assert rows_of(recording.stream, key) == [(0, *bits)]


@pytest.fixture
def impatient_threads():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_a_metric_of_several_numbers_is_digested_beside_the_others(recording):
    scores = np.float32([0.5, 0.25])
    recording.recorder.metrics("fit", {"loss": 1.5, "f1": scores, "accuracy": 0.5}, fold=0)
    stream = recording.stream
    names = {key: [column.name for column in t.columns] for key, t in stream.tables.items()}
    assert names == {"metric/fit@0#0": ["accuracy", "loss"], "metric/fit@0#1": ["f1"]}
    assert rows_of(stream, "metric/fit@0#1") == [(0, digest_array(scores))]


def test_records_of_several_threads_are_all_written(recording, impatient_threads):
    start = threading.Barrier(6)

    def record(thread):
        start.wait()
        for at in range(20):
            recording.record("w", [0] * (1 + 6 * at + thread))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream = recording.stream
    assert sorted(len(table.columns) for table in stream.tables.values()) == list(range(1, 121))
    steps = [row[0] for key in stream.tables for row in rows_of(stream, key)]
    assert sorted(steps) == list(range(120))


# -- steps -------------------------------------------------------------------------------------


def test_without_an_optimizer_a_repeated_name_begins_a_step(recording):
    for at in range(3):
        recording.record("w", at)
        recording.recorder.metrics("log/loss", {"loss": at})
    recording.record("final", 1)
    assert recording.steps("output/w#0") == recording.steps("metric/log/loss@None#0") == [0, 1, 2]
    assert recording.steps("output/final#0") == [2]
    assert recording.stream.watermark() == 3


def test_one_name_in_several_phases_belongs_to_one_step(recording):
    for _ in range(2):
        for phase in ("forward", "backward", "update"):
            recording.record("w", 1, phase=phase)
    assert [recording.steps(key) for key in recording.stream.tables] == [[0, 1]] * 3


def test_what_a_training_starts_from_has_no_step(recording):
    recording.record("w", 1, phase="init")
    recording.record("w", 2)
    assert recording.steps("init/w#0") == [-1]
    assert recording.steps("output/w#0") == [0]


def test_with_an_optimizer_a_record_belongs_to_the_last_update(recording):
    updates = []
    recording.recorder.add_counter(lambda: len(updates))
    recording.recorder.add_counter(lambda: 2 * len(updates))
    for more in (0, 1, 0, 2):
        updates += [None] * more
        recording.record("w", 1)
    assert recording.steps("output/w#0") == [0, 2, 2, 8]


def test_beside_the_main_thread_a_record_is_numbered_by_itself(recording):
    """The count of updates is a race there, and must not become a difference between two runs."""
    recording.recorder.add_counter(lambda: 7)
    recording.record("w", 1)
    thread = threading.Thread(target=lambda: [recording.record("x", 1) for _ in range(3)])
    thread.start()
    thread.join()
    assert recording.steps("output/w#0") == [6]
    assert recording.steps("output/x#0") == [0, 1, 2]


def test_a_step_that_the_script_names_is_taken(recording):
    for step in (5, 3, None):
        recording.record("w", 1, step)
    assert recording.steps("output/w#0") == [5, 3, 6]
    assert recording.stream.watermark() == 7


# -- values ------------------------------------------------------------------------------------


def test_values_are_kept_where_asked(recording):
    array = np.float32([[1, 2]])
    recording.record("w", {"a": array, "b": "text"}, keep=True)
    recording.record("v", array)
    recording.recorder.record_named("fit", {"dense/kernel": array}, 3, "update", keep=True)
    kept = recording.stream.all("value")
    assert [(event["name"], event["phase"]) for event in kept] == [
        ("w/a", "output"),
        ("dense/kernel", "update"),
    ]
    assert all((kept_array(recording.stream, event) == array).all() for event in kept)


def test_no_more_values_are_kept_than_the_budget_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_values, "BUDGET_BYTES", 100)
    recording = Recording(tmp_path)
    for name, size in (("a", 60), ("b", 60), ("c", 40), ("d", 1)):
        recording.record(name, np.zeros(size, np.int8), keep=True)
    assert [event["name"] for event in recording.stream.all("value")] == ["a", "c"]
    assert len(recording.stream.tables) == 4
    recording.writer.close()


# -- draining ----------------------------------------------------------------------------------


def test_what_is_computed_elsewhere_is_written_while_it_runs(recording):
    table = recording.recorder.table("optimizer0#0", [Column("update", "w")])
    computed, written = list(range(1000)), []

    def drain():
        batch, computed[:100] = computed[:100], []
        table.append_rows(b"".join(struct.pack("<qQ", step, step) for step in batch))
        written.extend(batch)
        return len(written)

    recording.recorder.add_drain(drain)
    wait_for(lambda: recording.stream.watermark() >= 500)
    recording.recorder.finish()
    rows = rows_of(recording.stream, "optimizer0#0")
    assert rows == [(step, step) for step in range(len(written))]
    assert recording.stream.watermark() == len(rows)
    assert recording.stream.ended


def test_the_watermark_is_that_of_the_slowest(recording):
    recording.recorder.add_drain(lambda: 7)
    recording.recorder.add_drain(lambda: 5)
    recording.record("w", 1, step=20)
    recording.recorder.drain()
    assert recording.stream.watermark() == 5


def test_a_drain_that_fails_is_told_once_and_called_again(recording):
    calls = []

    def drain():
        calls.append(1)
        raise RuntimeError("the queue is gone")

    recording.recorder.add_drain(drain)
    wait_for(lambda: len(calls) > 3)
    assert len(recording.stream.all("trouble")) == 1
    assert "the queue is gone" in incompleteness(recording.stream)


def test_trouble_that_never_ends_does_not_fill_the_disk(recording):
    for _ in range(1000):
        try:
            raise RuntimeError("again")
        except RuntimeError:
            recording.recorder.trouble("a hook")
    assert 1 <= len(recording.stream.all("trouble")) < 50


def test_a_failure_at_the_end_is_told_instead_of_the_end(recording):
    recording.recorder.add_effective(lambda: 1 / 0)
    recording.recorder.finish()
    assert recording.stream.all("trouble")[0]["where"] == "finish"
    assert not recording.stream.ended


def test_a_recording_ends_once(recording):
    for _ in range(2):
        recording.recorder.finish()
    assert len(recording.stream.all("end")) == 1


# -- how scripts end ---------------------------------------------------------------------------

SCRIPT = """
import os, signal, sys
import seedproof
seedproof.record("w", [1.0, 2.0])
seedproof.log_metric("loss", 0.5, fold=1)
"""


@pytest.mark.parametrize(
    ("last_line", "status"),
    [
        ("", 0),
        ("sys.exit()", 0),
        ("sys.exit(7)", 7),
        ("raise ValueError('the script is wrong')", 1),
        ("os.kill(os.getpid(), signal.SIGINT)", -2),
        ("import atexit; atexit.register(seedproof.record, 'last', 1)", 0),
    ],
)
def test_the_end_is_written_however_the_script_ends(tmp_path, last_line, status):
    stream, _ = recorded(SCRIPT + last_line, tmp_path, status)
    assert incompleteness(stream) == ""
    assert {"output/w#0", "metric/log/loss@1#0"} <= set(stream.tables)


@pytest.mark.parametrize(
    ("last_line", "status"),
    [("os._exit(0)", 0), ("os._exit(7)", 7)],
)
def test_a_script_that_leaves_without_its_handlers_has_an_end(tmp_path, last_line, status):
    stream, _ = recorded(SCRIPT + last_line, tmp_path, status)
    assert incompleteness(stream) == ""
    assert len(rows_of(stream, "output/w#0")) == 1


def test_a_script_that_is_cut_off_has_no_end(tmp_path):
    stream, _ = recorded(SCRIPT + "os.kill(os.getpid(), signal.SIGKILL)", tmp_path, -9)
    assert "stops after step 0" in incompleteness(stream)
    assert len(rows_of(stream, "output/w#0")) == 1


def test_the_script_s_own_error_is_all_that_is_seen_of_it(tmp_path):
    _, done = recorded(SCRIPT + "raise ValueError('the script is wrong')", tmp_path, 1)
    *_, last = done.stderr.splitlines()
    assert last == "ValueError: the script is wrong"
    assert "seedproof" not in done.stderr.replace("import seedproof", "")


# -- children ----------------------------------------------------------------------------------

FORK = """
import os, sys
import seedproof
from seedproof.inside import kept_values, recorder
parent = recorder.current()
parent.add_drain(lambda: 0)
seedproof.record("w", 1)
for _ in range(20):
    child = os.fork()
    if child == 0:
        seedproof.record("w", 2)
        seedproof.log_metric("loss", 0.5)
        parent.record("w", 3, None, "output", keep=True)  # as a hook that holds it would
        parent.record("new", 3, None, "output")
        parent.metrics("fit", {"loss": 1.0})
        parent.event("note", text="from the child")
        parent.drain()
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
seedproof.record("w", 4)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_children_write_nothing_into_their_parent_s_trace(tmp_path):
    stream, _ = recorded(FORK, tmp_path)
    assert incompleteness(stream) == ""
    assert [row[0] for row in rows_of(stream, "output/w#0")] == [0, 1]
    assert list(stream.tables) == ["output/w#0"]
    assert (stream.all("note"), len(stream.all("end"))) == ([], 1)


SPAWN = """
import subprocess, sys
import seedproof
seedproof.record("w", 1)
child = "import seedproof; seedproof.record('w', 2); seedproof.record('new', 3)"
subprocess.run([sys.executable, "-c", child], check=True)
seedproof.record("w", 3)
"""


def test_a_child_of_its_own_writes_nothing_into_its_parent_s_trace(tmp_path):
    stream, _ = recorded(SPAWN, tmp_path)
    assert incompleteness(stream) == ""
    assert list(stream.tables) == ["output/w#0"]
    assert len(rows_of(stream, "output/w#0")) == 2


# -- a disk that fills up ----------------------------------------------------------------------

FULL_DISK = """
import os, resource
import seedproof
seedproof.record("w", 1.0)
events = os.path.join(os.environ["_SEEDPROOF_RUN"], "trace", "main", "events.jsonl")
limit = os.path.getsize(events) + {room}
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for step in range(limit):
    seedproof.record("w", 1.0)
    seedproof.log_metric("loss", 1.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for step in range(10):
    seedproof.record("w", 1.0)
print("trained")
"""


@pytest.mark.parametrize(("room", "told"), [(0, False), (4000, True)])
def test_a_full_disk_neither_stops_the_script_nor_passes_unseen(tmp_path, room, told):
    pytest.importorskip("resource")
    stream, done = recorded(FULL_DISK.format(room=room), tmp_path)
    assert (done.stdout, done.stderr) == ("trained\n", "")
    assert bool(stream.all("trouble")) == told
    assert incompleteness(stream) != ""
    assert not any(table.is_torn() for table in stream.tables.values())


# -- what a script may call --------------------------------------------------------------------


def test_outside_a_recorded_run_nothing_happens(tmp_path):
    script = """
import sys
before = set(sys.modules)
import seedproof
assert seedproof.record("w", object(), step=-1, phase="none") is None
assert seedproof.log_metric("loss", "no number", fold="none") is None
assert not {"numpy", "tensorflow", "torch", "jax"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


CALLS = """
import numpy as np
import seedproof
def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as refusal:
        print(refusal)
    else:
        raise AssertionError(f"not refused: {arguments} {named}")
refused(ValueError, seedproof.record, "w", 1, phase="training")
refused(TypeError, seedproof.record, "w", {1, 2})
refused(TypeError, seedproof.record, "w", object())
refused(ValueError, seedproof.record, "w", 1, step=-1)
refused(ValueError, seedproof.record, "w", 1, step=2**63)
refused(TypeError, seedproof.record, "w", 1, step=1.5)
refused(TypeError, seedproof.log_metric, "loss", 1, fold="first")
refused(ValueError, seedproof.log_metric, "loss", 1, fold=-1)
refused(TypeError, seedproof.log_metric, "loss", None)
refused(TypeError, seedproof.log_metric, "loss", [1, 2])
refused(ValueError, seedproof.log_metric, "loss", "much")
seedproof.record("", 1)
seedproof.record("w", 1, step=np.int64(4))
seedproof.log_metric("loss", np.float32(0.5), step=np.uint8(4), fold=np.int64(3))
"""


def test_a_wrong_call_is_refused_in_words_and_leaves_no_record(tmp_path):
    stream, done = recorded(CALLS, tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("phase 'training' is none of init, data, forward")
    assert lines[1].endswith("of them, not set")
    assert lines[3] == "step is -1; steps and folds are counted from 0"
    assert {key: [row[0] for row in rows_of(stream, key)] for key in stream.tables} == {
        "output/#0": [0],
        "output/w#0": [4],
        "metric/log/loss@3#0": [4],
    }
    assert stream.tables["metric/log/loss@3#0"].columns[0].fold == 3


def test_initial_and_final_values_are_kept(tmp_path):
    script = """
import numpy as np
import seedproof
for phase in ("init", "forward", "update", "output"):
    seedproof.record(phase, np.float32([1, 2]), phase=phase)
"""
    stream, _ = recorded(script, tmp_path)
    assert [event["name"] for event in stream.all("value")] == ["init", "output"]


@pytest.mark.parametrize(("role", "written"), [("main", 0), ("main/worker1", 1), ("main/fork", 1)])
def test_rows_of_what_may_be_ended_at_any_moment_do_not_wait(role, written, recording, monkeypatch):
    monkeypatch.setattr(Recorder, "role", role)
    held = recording.recorder.held
    monkeypatch.setattr(held, "are_due", lambda: False)
    held.hold(("group", (Column("update", "w"),), 0, [7]))
    held.hold_step(0)
    recording.recorder.update_held(0)
    assert recording.stream.watermark() == written
    assert len(held._rows) == 1 - written
