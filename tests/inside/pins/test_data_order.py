"""`data_order`: results in the order in which they were asked for, whichever is ready first."""

from __future__ import annotations

import pytest
from pinned_runs import INSTALLED, install, run

SLOW_FIRST = """
import threading
turn = [threading.Event() for _ in range(4)]
turn[3].set()
def task(number):
    "Ends only once the next one has."
    turn[number + 1].wait(60)
    turn[number].set()
    return number
"""
POOL = SLOW_FIRST + (
    "from multiprocessing.pool import ThreadPool\n"
    "with ThreadPool(3) as pool: print(list(pool.imap_unordered(task, range(3))))"
)
FUTURES = SLOW_FIRST + (
    "from concurrent.futures import ThreadPoolExecutor, as_completed\n"
    "with ThreadPoolExecutor(3) as pool:\n"
    "    tasks = [pool.submit(task, number) for number in range(3)]\n"
    "    first = next(as_completed([tasks[2]]))\n"
    "    print([done.result() for done in as_completed({one: 0 for one in tasks})])"
)


@pytest.mark.parametrize("script", [POOL, FUTURES], ids=["pool", "futures"])
def test_they_come_in_order(tmp_path, script):
    assert run(tmp_path, script, pins={"data_order": True}).lines == ["[0, 1, 2]"]


def test_without_the_pin_they_come_as_they_are_ready(tmp_path):
    assert run(tmp_path, POOL, pins={"data_order": False}).lines == ["[2, 1, 0]"]


def test_the_line_that_takes_them_so_is_told(tmp_path):
    assert run(tmp_path, POOL, pins={"data_order": True}).uses("data_order") == [("train.py", 11)]


def test_what_a_library_takes_comes_as_it_is_ready(tmp_path):
    install(tmp_path, POOL.replace("print(", "found = ("))
    script = INSTALLED + "print(installed.found)"
    assert run(tmp_path, script, pins={"data_order": True}).lines == ["[2, 1, 0]"]


def test_a_time_out_ends_the_waiting_as_ever(tmp_path):
    script = SLOW_FIRST + (
        "from concurrent.futures import ThreadPoolExecutor, TimeoutError, as_completed\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    tasks = [pool.submit(turn[0].wait, 60), pool.submit(abs, 0)]\n"
        "    try: list(as_completed(tasks, timeout=0.1))\n"
        "    except TimeoutError as error: print(error)\n"
        "    turn[0].set()"
    )
    (line,) = run(tmp_path, script, pins={"data_order": True}).lines
    assert line == "2 (of 2) futures unfinished"


def test_varied_they_are_kept_in_order_or_not(tmp_path):
    on, off = (run(tmp_path, POOL, offers={"data_order": kept}) for kept in (True, False))
    assert (on.lines, off.lines) == (["[0, 1, 2]"], ["[2, 1, 0]"])
    assert all(one["set"] for ran in (on, off) for one in ran.trace.all("offered"))
