"""`clock` pinned: the user's own code reads the same times in every run; nobody else does."""

from __future__ import annotations

import time

import pytest
from pinned_runs import INSTALLED, install, repeats, run

PINNED = {"clock": "2024-02-29T12:00"}
MODULES = "import time, datetime\nfrom datetime import datetime as now_class, date, timezone\n"
READINGS = [
    "time.time()",
    "time.time_ns()",
    "time.ctime()",
    "time.strftime('%Y-%m-%d %H:%M:%S')",
    "time.localtime()",
    "tuple(time.gmtime())",
    "now_class.now()",
    "now_class.now(timezone.utc)",
    "datetime.datetime.today()",
    "date.today()",
    "int(time.time() * 1e6) % 2**32",
    "[time.time() for _ in range(3)]",
]


@pytest.mark.parametrize("reading", READINGS)
def test_what_is_read_repeats_to_the_last_digit(tmp_path, reading):
    script = f"{MODULES}time.time()\nprint({reading})"
    assert repeats(tmp_path, script, pins=PINNED)


@pytest.mark.filterwarnings("ignore")
def test_it_starts_where_it_was_told_to(tmp_path):
    script = MODULES + "print(now_class.now(timezone.utc), now_class.utcnow(), date.today())"
    (line,) = run(tmp_path, script, pins=PINNED).lines
    assert line == "2024-02-29 12:00:00.001000+00:00 2024-02-29 12:00:00.002000 2024-02-29"


def test_it_never_stands_still(tmp_path):
    script = MODULES + "a, b = time.time(), time.time()\nprint(1 / (b - a) > 0)"
    assert run(tmp_path, script, pins=PINNED).lines == ["True"]


def test_it_goes_on_while_the_script_sleeps(tmp_path):
    """So that a loop that waits until a time ends after as many turns as it would."""
    script = (
        MODULES + "end, turns = time.time() + 0.5, 0\n"
        "while time.time() < end: time.sleep(0.1); turns += 1\nprint(turns)"
    )
    assert run(tmp_path, script, pins=PINNED).lines == ["5"]


def test_times_that_are_given_are_written_as_ever(tmp_path):
    script = (
        MODULES + "print(time.gmtime(0)[:3], time.strftime('%Y', time.gmtime(0)), time.ctime(0))"
    )
    assert run(tmp_path, script, pins=PINNED).lines == run(tmp_path, script).lines


@pytest.mark.parametrize("reading", ["time.time()", "datetime.datetime.now().timestamp()"])
def test_a_library_reads_the_real_time(tmp_path, reading):
    install(tmp_path, f"import datetime, time\ndef read(): return {reading}\n")
    before = time.time()
    (read,) = run(tmp_path, INSTALLED + "print(installed.read())", pins=PINNED).lines
    assert before - 1 <= float(read) <= time.time() + 1


@pytest.mark.parametrize(
    "reading",
    ["logging.LogRecord('a', 20, 'f', 1, 'm', (), None).created", "os.stat('written').st_mtime"],
)
def test_log_records_and_files_bear_the_real_time(tmp_path, reading):
    script = f"import logging, os\nopen('written', 'w').close()\nprint({reading})"
    before = time.time()
    (read,) = run(tmp_path, script, pins=PINNED).lines
    assert before - 2 <= float(read) <= time.time() + 2


def test_clocks_that_only_measure_are_left_alone(tmp_path):
    script = (
        "import time\nprint(*map(repr, (time.monotonic, time.perf_counter, time.process_time)))"
    )
    assert run(tmp_path, script, pins=PINNED).lines == run(tmp_path, script).lines


def test_the_trace_keeps_the_real_time(tmp_path):
    script = "import seedproof, time\nseedproof.record('seed', time.time())"
    before = time.time()
    trace = run(tmp_path, script, pins=PINNED).trace
    assert all(event["at"] > before - 1 for event in trace.all("hello") + trace.all("end"))


def test_datetime_is_the_class_that_it_was(tmp_path):
    """A subclass in its place would be refused by all who ask for exactly this class."""
    script = (
        MODULES + "import pickle, sqlite3, copy, _datetime\nnow = now_class.now()\n"
        "assert type(now) is datetime.datetime is _datetime.datetime\n"
        "assert pickle.loads(pickle.dumps(now)) == copy.deepcopy(now) == now\n"
        "assert (now_class, sqlite3.PrepareProtocol) in sqlite3.adapters\n"
        "class Own(now_class): pass\nassert type(Own.now()) is Own\n"
        "print(now - now_class(2024, 2, 29), isinstance(now, date))"
    )
    assert run(tmp_path, script, pins=PINNED).lines == ["12:00:00.001000 True"]


def test_threads_do_not_move_each_others_clock(tmp_path):
    script = (
        "import threading, time\nstop, begun = threading.Event(), threading.Event()\n"
        "def read():\n    while not stop.is_set(): time.time(); begun.set()\n"
        "threads = [threading.Thread(target=read) for _ in range(3)]\n"
        "for thread in threads: thread.start()\n"
        "begun.wait(60)\nprint(time.time(), time.time())\nstop.set()"
    )
    assert repeats(tmp_path, script, pins=PINNED)


def test_varied_it_starts_at_another_date_and_runs_on(tmp_path):
    script = (
        MODULES + "a = time.time()\ntime.sleep(0.2)\nprint(date.today(), time.time() - a > 0.19)"
    )
    varied = run(tmp_path, script, offers={"clock": "2031-12-31T12:00"})
    assert varied.lines == ["2031-12-31 True"]


def test_the_pin_acts_after_the_variation(tmp_path):
    both = run(tmp_path, MODULES + "print(time.time())", pins=PINNED,
               offers={"clock": "2031-12-31T12:00"})  # fmt: skip
    assert both.lines == run(tmp_path, MODULES + "print(time.time())", pins=PINNED).lines
