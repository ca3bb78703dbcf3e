"""A trace of many streams: found while it grows, in the order of roles, and never followed out."""

import os
import sys
import time

import pytest

from seedproof.trace import finder, stream
from seedproof.trace.reader import Trace, TraceDamagedError, role_order
from traces import Trace as Written

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")


@pytest.fixture
def main(tmp_path):
    """A run whose script has begun."""
    return Written(tmp_path / "trace")


def read(directory):
    trace = Trace(directory)
    trace.refresh()
    return trace


def assert_refused(directory, part):
    """Reading ends with one line that names the place, each time anew."""
    trace = Trace(directory)
    for _ in range(2):
        with pytest.raises(TraceDamagedError, match=part) as refusal:
            trace.refresh()
        assert str(refusal.value).isprintable()
        assert str(refusal.value).startswith(str(directory))


# -- the streams of a run ----------------------------------------------------------------------


def test_every_folder_with_events_is_a_stream(main):
    roles = ["main/worker2", "main/worker10", "rank1/a.py", "main/a.py/worker1/fork0"]
    for role in roles:
        main.beside(role)
    assert list(read(main.root).streams) == [
        "main",
        "main/a.py/worker1/fork0",
        "main/worker2",
        "main/worker10",
        "rank1/a.py",
    ]


def test_roles_are_ordered_parents_first_and_by_number():
    roles = ["main", "main/b", "main/worker2", "main/worker2/a", "main/worker10", "rank0", "rank11"]
    assert sorted(sorted(roles, reverse=True), key=role_order) == roles


def test_a_trace_that_was_never_begun_is_empty(tmp_path):
    trace = read(tmp_path / "trace")
    assert (trace.streams, trace.hello, trace.watermark(), trace.ended) == ({}, None, 0, False)
    assert (trace.stopped_after, trace.missing_rank(), trace.ranks) == (None, None, {})


def test_a_stream_that_has_not_said_hello_is_one_all_the_same(main):
    (main.root / "rank0").mkdir()
    (main.root / "rank0" / "events.jsonl").touch()
    assert read(main.root).streams["rank0"].hello is None


@pytest.mark.parametrize("seconds", [0, 10])
def test_streams_are_found_whenever_they_come(main, monkeypatch, seconds):
    """However long the folders had not changed before."""
    now = time.monotonic()
    monkeypatch.setattr(finder.time, "monotonic", lambda: now)
    trace = read(main.root)
    roles = ["rank0", "main/worker1", "main/worker1/fork0", "rank0/a.py/worker1"]
    for role in roles:
        now += seconds
        trace.refresh()
        now += seconds
        trace.refresh()
        main.beside(role)
        trace.refresh()
        assert role in trace.streams
    assert len(trace.streams) == 5


def test_a_stream_that_comes_within_the_tick_of_another_is_found(main, monkeypatch):
    stamp = main.root.stat().st_mtime_ns
    trace = read(main.root)
    main.beside("rank0")
    os.utime(main.root, ns=(stamp, stamp))
    trace.refresh()
    assert list(trace.streams) == ["main", "rank0"]


def test_folders_that_do_not_change_are_not_read_again(main, monkeypatch):
    main.beside("rank0")
    scanned = []
    monkeypatch.setattr(finder.os, "scandir", lambda path: scanned.append(path) or scandir(path))
    now = time.monotonic()
    monkeypatch.setattr(finder.time, "monotonic", lambda: now)
    trace = read(main.root)
    now += 10
    trace.refresh()
    scanned.clear()
    for _ in range(3):
        trace.refresh()
    assert scanned == []
    main.beside("main/worker1")
    trace.refresh()
    assert sorted(path.name for path in scanned) == ["main", "worker1"]


open_, scandir = os.open, os.scandir


def test_events_that_are_not_new_are_not_opened(main, monkeypatch):
    trace = read(main.root)
    opened = []
    monkeypatch.setattr(
        stream.os, "open", lambda path, *how: opened.append(path) or open_(path, *how)
    )
    trace.refresh()
    assert opened == []
    main.end()
    opened.clear()
    trace.refresh()
    assert [path.name for path in opened] == ["events.jsonl"]


def test_what_is_written_later_is_read(main):
    trace = read(main.root)
    main.beside("rank0").updates(1, 2).end()
    main.end()
    trace.refresh()
    assert trace.ended
    assert [len(trace.all(kind)) for kind in ("hello", "table", "end")] == [2, 1, 2]


def test_five_hundred_streams_are_one_trace(main):
    for number in range(500):
        main.beside(f"main/worker{number}").rows("t", (0, number)).end().writer.close()
    trace = read(main.root)
    assert len(trace.streams) == 501
    assert [s.tables["t"].whole_rows() for r, s in trace.streams.items() if r != "main"] == [
        1
    ] * 500


# -- the run as a whole ------------------------------------------------------------------------


def test_the_script_s_own_process_speaks_for_the_run(main):
    main.beside("a.py", at=1.0)
    main.beside("rank0", at=2.0)
    assert read(main.root).hello["at"] == 100.0


def test_without_one_the_first_rank_does(tmp_path):
    Written(tmp_path, "rank1", at=1.0).beside("rank0", at=2.0)
    assert read(tmp_path).hello["at"] == 2.0


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ({}, 0),
        ({"main": 3}, 3),
        ({"main": 3, "main/worker1": 9}, 3),
        ({"rank0": 5, "rank1": 4}, 4),
        ({"rank0": 5, "rank1": 0}, 0),
        ({"main": 2, "rank1": 4}, 2),
        ({"main/a.py": 7, "main/b.py": 8}, 7),
        ({"rank0": 5, "rank1": 4, "main/a.py": 1}, 4),
    ],
)
def test_the_slowest_that_trains_says_how_far_the_run_has_come(main, steps, expected):
    for role, count in steps.items():
        process = main if role == "main" else main.beside(role)
        process.updates(*range(count))
    assert read(main.root).watermark() == expected


def test_no_step_is_done_by_all_ranks_while_one_has_not_come(main):
    main.beside("rank0", world_size=3).updates(1, 2)
    main.beside("rank2", world_size=3).updates(1, 2)
    trace = read(main.root)
    assert trace.missing_rank() == (1, 3)
    assert trace.watermark() == 0
    main.beside("rank1", world_size=3).updates(1)
    trace.refresh()
    assert (trace.missing_rank(), trace.watermark()) == (None, 1)


@pytest.mark.parametrize("role", ["rank01", "rank", "rankx", "main/rank1", "rank1#1"])
def test_a_rank_is_named_by_its_number(main, role):
    main.beside(role)
    assert read(main.root).ranks == {}


def test_a_run_has_ended_with_its_last_rank_whatever_workers_do(main):
    ranks = [main.beside(f"rank{number}") for number in range(2)]
    main.beside("main/worker1")
    for process in (main, *ranks):
        assert not read(main.root).ended
        process.end()
    assert read(main.root).ended


def test_a_run_was_stopped_where_its_first_process_was(main):
    assert read(main.end().root).stopped_after is None
    main.beside("rank0").end(stopped_after=7)
    main.beside("rank1").end(stopped_after=6)
    assert read(main.root).stopped_after == 6


def test_the_mark_of_unrecorded_processes_is_seen(main):
    assert not read(main.root).others()
    (main.root / "others").touch()
    assert read(main.root).others()


@pytest.mark.parametrize(
    ("role", "ambiguous"),
    [
        ("main", ""),
        ("main/a.py", True),
        ("main/a.py#1", True),
        ("main/a.py#2/worker1", True),
        ("main/a.pyx", ""),
        ("main/b.py#1", ""),
    ],
)
def test_processes_of_one_name_at_once_are_all_ambiguous(main, role, ambiguous):
    main.beside("main/a.py")
    main.beside("main/b.py")
    main.beside("main/a.py#1").writer.event("ambiguous")
    told = read(main.root).ambiguity(role)
    assert told == (ambiguous and f"several processes were {role} at once and cannot be told apart")


def test_threads_that_train_at_once_make_their_own_process_ambiguous_alone(main):
    main.writer.event("ambiguous", why="several threads train at once")
    main.beside("main/worker1")
    trace = read(main.root)
    assert trace.ambiguity("main") == "several threads train at once"
    assert trace.ambiguity("main/worker1") == ""


# -- whatever the folders hold -----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a b", "ä", "a\nb", "\x1b[2J", "..a", ".hidden", "a:b", "a" * 200, "a#b", "#1", "\udc80", "~"],
)
def test_a_folder_under_a_name_that_no_writer_gives_is_refused(main, name):
    (main.root / "main" / name).mkdir()
    assert_refused(main.root, "no name of a folder of a trace")


@needs_links
@pytest.mark.parametrize("place", ["rank0", "main/worker1", "main/worker1/events.jsonl", "main/x"])
@pytest.mark.parametrize("to", ["elsewhere", "nowhere", "trace"])
def test_no_link_is_followed(main, tmp_path, place, to):
    Written(tmp_path / "elsewhere")
    main.beside("main/worker1/a.py")
    link = main.root / place
    if place == "main/worker1":
        link = link.with_name("worker2")
    link.symlink_to(tmp_path / to)
    assert_refused(main.root, "link|plain file|no file of a trace")


@needs_links
def test_the_trace_itself_may_be_reached_by_a_link(main, tmp_path):
    (tmp_path / "link").symlink_to(main.root)
    assert list(read(tmp_path / "link").streams) == ["main"]


def test_a_folder_that_is_too_deep_is_refused(main):
    (main.root / "/".join(["a"] * 30)).mkdir(parents=True)
    assert_refused(main.root, "too deep")


def test_more_folders_than_any_run_has_are_refused(main, monkeypatch):
    monkeypatch.setattr(finder, "_MOST_FOLDERS", 20)
    for number in range(30):
        (main.root / f"rank{number}").mkdir()
    assert_refused(main.root, "too many folders")


def test_a_folder_fuller_than_any_of_a_trace_is_refused(main, monkeypatch):
    monkeypatch.setattr(finder, "_MOST_ENTRIES", 20)
    for number in range(30):
        (main.root / "main" / f"{number}.rows").touch()
    assert_refused(main.root, "too full")


def test_one_stream_is_no_trace(main):
    assert_refused(main.root / "main", "one stream of a trace; the trace is the folder above it")


def test_a_file_is_no_trace(tmp_path):
    (tmp_path / "file").write_text("text")
    assert_refused(tmp_path / "file", "no file of a trace")


def test_other_files_are_not_looked_at(main):
    (main.root / "notes.txt").write_text("text")
    (main.root / "main" / ".DS_Store").write_bytes(b"\xff")
    assert list(read(main.root).streams) == ["main"]
