"""A trace written and read back: whole, half, growing, damaged, and made by somebody else."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from seedproof.trace.format import Column
from seedproof.trace.reader import Stream, TraceDamagedError
from seedproof.trace.writer import StreamWriter
from traces import HELLO, Trace, rows_of

TWO = (Column("data", "x", dtype="int8", shape=(None, 3)), Column("metric", "", "value", fold=2))


@pytest.fixture
def trace(tmp_path):
    """Three updates, a table of two columns, a kept array, and the end."""
    trace = Trace(tmp_path).updates(7, 2**64 - 1, 9)
    trace.rows("host", (-1, 1, 2), (5, 3, 4), columns=TWO)
    return trace.keep("w", np.float32([[1, 2], [3, 4]])).end()


def events_of(stream):
    return [stream.all(kind) for kind in ("hello", "table", "value", "end")]


def cut(stream, file, size, directory):
    """A copy of the stream in which one file is cut."""
    shutil.copytree(stream.directory, directory, dirs_exist_ok=True)
    os.truncate(directory / file, size)
    copy = Stream(directory)
    copy.refresh()
    return copy


def alter(trace, content, file="events.jsonl"):
    """The stream with other bytes in one of its files."""
    (trace.directory / file).write_bytes(content)
    return Stream(trace.directory)


def written_by(script, directory, **limit):
    """The stream that a script writes in a process that may use only so much."""
    ((resource_name, most),) = limit.items()
    start = f"""
import resource
from seedproof.trace.format import Column
from seedproof.trace.writer import StreamWriter
resource.setrlimit(resource.{resource_name}, ({most}, {most}))
writer = StreamWriter({str(directory / "main")!r})
writer.event("hello", **{HELLO!r})
"""
    subprocess.run([sys.executable, "-c", start + script], check=True, timeout=60)
    stream = Stream(directory / "main")
    stream.refresh()
    return stream


def assert_damaged(read, part):
    """Reading ends with one line that names the file."""
    with pytest.raises(TraceDamagedError, match=part) as refusal:
        read()
    assert "\n" not in str(refusal.value)
    return refusal.value


# -- what was written is read ------------------------------------------------------------------


def test_what_was_written_is_read(trace):
    stream = trace.stream
    assert stream.hello == {"event": "hello", **HELLO}
    assert rows_of(stream, "optimizer0#0") == [(0, 7), (1, 2**64 - 1), (2, 9)]
    assert rows_of(stream, "host") == [(-1, 1, 2), (5, 3, 4)]
    assert stream.tables["host"].columns == TWO
    assert stream.watermark() == 3
    assert stream.value(stream.all("value")[0]) == np.float32([1, 2, 3, 4]).tobytes()
    assert stream.ended


def test_every_array_that_was_kept_has_its_place(tmp_path):
    trace = Trace(tmp_path).keep("a", np.int8([1, 2])).keep("b", np.int8([3])).keep("c", [4.0])
    stream = trace.stream
    kept = [stream.value(event) for event in stream.all("value")]
    assert kept == [b"\1\2", b"\3", np.float64(4).tobytes()]


@pytest.mark.parametrize("name", ["", "a\nb", '"', "\udc80", "\0", "é", "../x", "/etc/passwd"])
def test_names_may_be_any_text(tmp_path, name):
    stream = Trace(tmp_path).rows(name, (0, 1), columns=[Column("init", name)]).stream
    assert stream.tables[name].columns[0].name == name
    assert rows_of(stream, name) == [(0, 1)]
    assert sorted(path.name for path in tmp_path.rglob("*.rows")) == ["0.rows"]


def test_a_stream_belongs_to_the_process_that_made_it(trace):
    with pytest.raises(FileExistsError):
        StreamWriter(str(trace.directory))


def test_the_watermark_never_sinks(trace):
    trace.writer.watermark(2)
    assert trace.stream.watermark() == 3


MANY_TABLES = """
for _ in range(2):
    for at in range(400):
        writer.table(str(at), [Column("update", "w")]).append(0, [at])
"""


def test_more_tables_than_a_process_may_open_files(tmp_path):
    stream = written_by(MANY_TABLES, tmp_path, RLIMIT_NOFILE=200)
    assert rows_of(stream, "0") == [(0, 0), (0, 0)]
    assert rows_of(stream, "399") == [(0, 399), (0, 399)]


# -- half of it is read as far as it goes ------------------------------------------------------


def test_events_cut_anywhere_are_read_up_to_the_last_whole_line(trace, tmp_path):
    content = (trace.directory / "events.jsonl").read_bytes()
    for size in range(len(content) + 1):
        stream = cut(trace.stream, "events.jsonl", size, tmp_path / "cut")
        lines = content[:size].count(b"\n")
        assert sum(map(len, events_of(stream))) == lines
        assert (stream.hello is not None) == (lines > 0)
        assert stream.ended == (size == len(content))


def test_rows_cut_anywhere_are_read_up_to_the_last_whole_row(trace, tmp_path):
    whole = rows_of(trace.stream, "host")
    for size in range(2 * 24 + 1):
        stream = cut(trace.stream, "1.rows", size, tmp_path / "cut")
        assert rows_of(stream, "host") == whole[: size // 24]
        assert stream.tables["host"].is_torn() == (size % 24 != 0)


def test_a_watermark_cut_anywhere_says_nothing(trace, tmp_path):
    for size in range(8):
        assert cut(trace.stream, "watermark", size, tmp_path / "cut").watermark() == 0


def test_values_cut_anywhere_are_shorter(trace, tmp_path):
    event = trace.stream.all("value")[0]
    for size in range(17):
        assert len(cut(trace.stream, "values.bin", size, tmp_path / "cut").value(event)) == size


@pytest.mark.parametrize("file", ["0.rows", "1.rows", "watermark", "values.bin", "events.jsonl"])
def test_a_file_that_is_not_there_yet_is_empty(trace, file):
    (trace.directory / file).unlink()
    stream = trace.stream
    assert all(rows_of(stream, key) is not None for key in stream.tables)
    assert stream.watermark() in (0, 3)
    assert all(len(stream.value(event)) in (0, 16) for event in stream.all("value"))


def test_a_trace_that_was_never_begun_is_empty(tmp_path):
    stream = Stream(tmp_path / "main")
    stream.refresh()
    assert (stream.hello, stream.tables, stream.watermark(), stream.ended) == (None, {}, 0, False)


def test_a_growing_stream_is_read_once_and_in_order(trace, tmp_path):
    content = (trace.directory / "events.jsonl").read_bytes()
    (tmp_path / "growing").mkdir()
    stream = Stream(tmp_path / "growing")
    for at in range(0, len(content), 7):
        with (stream.directory / "events.jsonl").open("ab") as file:
            file.write(content[at : at + 7])
        stream.refresh()
    assert events_of(stream) == events_of(trace.stream)
    assert list(stream.tables) == list(trace.stream.tables)


# -- a disk that fills up ----------------------------------------------------------------------

FULL_DISK = """
table = writer.table("t", [Column("update", "w")] * 2)
failed = []
for step in range(100):
    try:
        table.append(step, (1, 2))
    except OSError:
        failed.append(step)
assert failed == list(range(41, 100)), failed
"""


def test_a_row_that_does_not_fit_the_disk_leaves_no_half_row(tmp_path):
    stream = written_by(FULL_DISK, tmp_path, RLIMIT_FSIZE=1000)
    assert not stream.tables["t"].is_torn()
    assert stream.tables["t"].whole_rows() == 41


# -- what is no trace --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"\x89PNG\r\n\x1a\n",
        b"\0" * 100,
        b"\xff\xfe\xfd",
        b"<html>",
        b"step,loss\n1,2\n",
        b"[1]\n",
        b"null\n",
        b'"hello"\n',
        b"{}\n",
        b'{"event": 1}\n',
        b'{"event": "end"}\n',
        b'{"event": "hello", "schema": ' + b"9" * 5000 + b"}\n",
        b"[" * 100_000 + b"\n",
        b'{"event": ' * 100_000 + b"\n",
        json.dumps({"event": "hello", **HELLO}).encode("utf-16") + b"\n",
    ],
)
def test_a_foreign_file_gives_one_line_that_names_it(trace, content):
    damage = assert_damaged(alter(trace, content).refresh, "no event of a trace")
    assert str(trace.directory / "events.jsonl") in str(damage)
    assert len(str(damage)) < len(str(trace.directory)) + 300


def test_what_comes_before_the_damage_stays_readable(trace):
    whole = trace.stream
    stream = alter(trace, (trace.directory / "events.jsonl").read_bytes() + b"damage\n")
    for _ in range(2):
        assert_damaged(stream.refresh, "found 'damage")
        assert events_of(stream) == events_of(whole)


def test_control_characters_are_not_passed_on(trace):
    damage = assert_damaged(alter(trace, b"\x1b[2J\x07\n").refresh, "no event")
    assert str(damage).isprintable()


@pytest.mark.parametrize("begin", [b"", b'{"event": "'])
def test_a_line_that_never_ends_takes_no_memory(trace, begin):
    (trace.directory / "events.jsonl").write_bytes(begin)
    os.truncate(trace.directory / "events.jsonl", 1 << 40)
    tracemalloc.start()
    try:
        assert_damaged(Stream(trace.directory).refresh, "no event")
        assert tracemalloc.get_traced_memory()[1] < 300 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("offset", "size"),
    [(0, 2**63 - 1), (0, 2**30), (2**63 - 1, 4), (17, 1), (16, 4), (8, 2**40), (2**62, 2**62)],
)
def test_values_beyond_the_file_are_cut_and_take_no_memory(trace, offset, size):
    tracemalloc.start()
    try:
        value = trace.stream.value({"offset": offset, "bytes": size})
        assert len(value) <= 16
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_huge_value_is_not_read(trace):
    os.truncate(trace.directory / "values.bin", 1 << 40)
    assert trace.stream.value({"offset": 0, "bytes": 1 << 40}) == b""


def test_a_table_that_is_announced_again_is_damage(trace):
    table = trace.stream.all("table")[0]
    for changes in ({}, {"number": 2}, {"key": "other"}, {"key": "other", "number": 3}):
        line = json.dumps({**table, **changes}).encode()
        content = (trace.directory / "events.jsonl").read_bytes()
        assert_damaged(alter(trace, content + line + b"\n").refresh, "no event of a trace")
        alter(trace, content)


def test_a_negative_watermark_is_none(trace):
    assert alter(trace, b"\xff" * 8, "watermark").watermark() == 0


@pytest.mark.parametrize("file", ["events.jsonl", "0.rows", "watermark", "values.bin"])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "link to nothing"])
def test_nothing_but_plain_files_is_read(trace, tmp_path, file, kind):
    event = trace.stream.all("value")[0]
    table = trace.stream.tables["optimizer0#0"]
    path = trace.directory / file
    outside = tmp_path / "outside"
    path.rename(outside)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(outside if kind == "link" else tmp_path / "nowhere")
    stream = Stream(trace.directory)
    reads = {
        "events.jsonl": stream.refresh,
        "0.rows": lambda: table.read(0, 1),
        "watermark": stream.watermark,
        "values.bin": lambda: stream.value(event),
    }
    assert_damaged(reads[file], "plain file|no file of a trace")


def test_a_file_in_the_place_of_the_directory_is_no_trace(tmp_path):
    (tmp_path / "main").write_text("nothing")
    stream = Stream(tmp_path / "main")
    for read in (stream.refresh, stream.watermark):
        assert_damaged(read, "no file of a trace")


def test_rows_that_are_taken_away_are_missed(trace):
    table = trace.stream.tables["host"]
    os.truncate(trace.directory / "1.rows", 24)
    assert_damaged(lambda: table.read(0, 2), "taken away")


def test_a_trace_of_another_schema_says_only_that(tmp_path):
    trace = Trace(tmp_path, schema="seedproof.trace/9", pins=["odd"])
    trace.writer.event("table", anything="else")
    with (trace.directory / "events.jsonl").open("ab") as file:
        file.write(b"not even JSON\n")
    stream = trace.stream
    assert stream.hello == {
        "event": "hello",
        "schema": "seedproof.trace/9",
        "digest": HELLO["digest"],
    }
    assert not stream.tables


def test_an_event_is_as_long_in_every_run(tmp_path):
    """A text that is a letter shorter would move what lies behind it in memory."""
    lines = []
    for run, (at, clock, cpu, pid) in enumerate(
        [(1795602846.2071, 42152.5, 0.25, 999), (1795602845.694421, 142152.187273789, 12.01, 31999)]
    ):
        stream = StreamWriter(str(tmp_path / str(run)))
        stream.event("hello", role="main", at=at, clock=clock, cpu=cpu, pid=pid)
        stream.close()
        lines += (tmp_path / str(run) / "events.jsonl").read_text().splitlines()
    assert len(lines[0]) == len(lines[1])
    assert json.loads(lines[1])["pid"] == 31999
    assert json.loads(lines[1])["at"] == 1795602845.694421
