"""`load` pinned: what the user's own code starts runs by turns."""

from __future__ import annotations

import sys

import pytest
from pinned_runs import INSTALLED, install, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is busy")

PINNED = {"load": 0}
# Every worker takes longer than the next one, and long enough to be overtaken.
WORK = """
import time
done = []
def work(number):
    end = time.thread_time() + 0.3 - 0.1 * number
    while time.thread_time() < end: pass
    done.append(number)
"""
THREADS = WORK + (
    "import threading\nthreads = [threading.Thread(target=work, args=(n,)) for n in range(3)]\n"
    "for thread in threads: thread.start()\n"
    "for thread in threads: thread.join()\nprint(done)"
)
POOL = WORK + (
    "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(3) as pool: list(pool.map(work, range(3)))\nprint(done)"
)
PROCESSES = (
    WORK.replace("done.append(number)", "print(number, flush=True)")
    + "import multiprocessing\nif __name__ == '__main__':\n"
    "    started = [multiprocessing.Process(target=work, args=(n,)) for n in range(3)]\n"
    "    for one in started: one.start()\n    for one in started: one.join()\n"
)


@pytest.mark.parametrize("script", [THREADS, POOL], ids=["threads", "pool"])
def test_threads_finish_in_the_order_in_which_they_were_started(tmp_path, script):
    assert run(tmp_path, script, pins=PINNED).lines == ["[0, 1, 2]"]


def test_without_the_pin_they_overtake_each_other(tmp_path):
    assert run(tmp_path, THREADS).lines != ["[0, 1, 2]"]


def test_so_do_processes(tmp_path):
    assert run(tmp_path, PROCESSES, pins=PINNED).lines == ["0", "1", "2"]


def test_the_line_that_starts_them_is_told(tmp_path):
    assert run(tmp_path, THREADS, pins=PINNED).uses("load") == [("train.py", 10)]


def test_weights_that_threads_share_without_a_lock_repeat(tmp_path):
    """Hogwild: each update reads the weights that the others may be writing."""
    pytest.importorskip("numpy")
    script = (
        "import threading\nimport numpy as np\nweights = np.zeros(8)\n"
        "def train(seed):\n    drawn = np.random.default_rng(seed)\n"
        "    for _ in range(20_000): weights[:] = weights * 0.999 + 0.1 * drawn.normal(size=8)\n"
        "threads = [threading.Thread(target=train, args=(n,)) for n in range(3)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\nprint(weights.tobytes().hex())"
    )
    assert run(tmp_path, script, pins=PINNED).lines == run(tmp_path, script, pins=PINNED).lines
    assert len({run(tmp_path, script).lines[0] for _ in range(3)}) > 1


def test_threads_that_wait_for_each_other_go_on(tmp_path):
    script = (
        "import queue, threading\nasked, answered = queue.Queue(), queue.Queue()\n"
        "def answer():\n    for _ in range(3): answered.put(asked.get(timeout=60) + 1)\n"
        "thread = threading.Thread(target=answer)\nthread.start()\n"
        "for number in range(3): asked.put(number); print(answered.get(timeout=60))\nthread.join()"
    )
    assert run(tmp_path, script, pins=PINNED).lines == ["1", "2", "3"]


def test_threads_of_libraries_are_left_alone(tmp_path):
    install(tmp_path, THREADS.replace("print(done)", ""))
    assert run(tmp_path, INSTALLED + "print(installed.done)", pins=PINNED).lines != ["[0, 1, 2]"]


def test_varied_the_threads_of_python_take_turns_more_often(tmp_path):
    script = "import sys\nprint(sys.getswitchinterval())"
    usual, often = (run(tmp_path, script, offers={"load": busy}).lines for busy in (0, 3))
    assert float(often[0]) < float(usual[0]) / 10
    assert run(tmp_path, script, offers={"load": 3}, pins=PINNED).lines == usual
