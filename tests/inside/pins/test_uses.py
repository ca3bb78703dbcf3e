"""Notes: which line of the user's uses a source. Without them, nothing is touched."""

from __future__ import annotations

import os
import time
from importlib.util import find_spec

import pytest
from pinned_runs import INSTALLED, install, run

SCRIPT = """import glob, os, random, time, uuid
from datetime import datetime
os.listdir('.')
glob.glob('*')
time.time()
datetime.now()
uuid.uuid4()
random.Random()
for _ in range(3): os.listdir('.')
"""


def test_each_line_is_told_once_in_its_order(tmp_path):
    noted = run(tmp_path, SCRIPT, notes=True)
    assert noted.uses("file_order") == [("train.py", line) for line in (3, 4, 9)]
    assert noted.uses("clock") == [("train.py", line) for line in (5, 6)]
    assert noted.uses("entropy") == [("train.py", line) for line in (7, 8)]


def test_what_libraries_do_is_not_told(tmp_path):
    install(tmp_path, SCRIPT)
    noted = run(tmp_path, INSTALLED, notes=True)
    assert noted.trace.all("used") == []


def test_a_pin_tells_too_who_used_it(tmp_path):
    pinned = run(tmp_path, SCRIPT, pins={"clock": "2024-01-01"})
    assert {one["source"] for one in pinned.trace.all("used")} == {"clock"}


def test_nothing_is_changed_by_notes(tmp_path):
    script = (
        "import os, random, time\nfrom datetime import datetime\nrandom.seed(3)\n"
        "print(os.listdir('.') == list(entry.name for entry in os.scandir('.')))\n"
        "print(random.random(), len(os.urandom(4)))\n"
        "print(abs(time.time() - datetime.now().timestamp()) < 9)"
    )
    noted, plain = run(tmp_path, script, notes=True), run(tmp_path, script)
    assert noted.lines == plain.lines
    real = run(tmp_path, "import time\nprint(time.time())", notes=True)
    assert abs(float(real.lines[0]) - time.time()) < 100


def test_without_notes_and_pins_every_function_is_the_original(tmp_path):
    script = (
        "import os, random, threading, time, datetime\n"
        "print(os.listdir, os.scandir, os.urandom, time.time, time.sleep,"
        " type(vars(datetime.datetime)['now']), random.Random.seed.__module__,"
        " hasattr(threading.Thread.start, '__wrapped__'), 'seedproof.inside.pins' in"
        " __import__('sys').modules)"
    )
    (line,) = run(tmp_path, script).lines
    (noted,) = run(tmp_path, script, notes=True).lines
    assert line == (
        "<built-in function listdir> <built-in function scandir> <built-in function urandom> "
        "<built-in function time> <built-in function sleep> <class 'classmethod_descriptor'> "
        "random False False"
    )
    assert noted != line


def test_a_policy_replaces_no_function_of_the_operating_system(tmp_path):
    pins = {"seeds": 0, "data_order": True, "uninitialized_memory": "frameworks"}
    script = "import os, time, threading\nprint(os.listdir, os.urandom, time.time, time.sleep,"
    script += " hasattr(threading.Thread.start, '__wrapped__'))"
    assert run(tmp_path, script, pins=pins).lines == run(tmp_path, script).lines


@pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_workers_that_only_load_data_tell_too(tmp_path):
    script = (
        "import torch, numpy as np\nfrom torch.utils.data import DataLoader, Dataset\n"
        "class Noisy(Dataset):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, at): return np.random.default_rng().random()\n"
        "if __name__ == '__main__':\n"
        "    for batch in DataLoader(Noisy(), num_workers=2): pass\n"
    )
    noted = run(tmp_path, script, notes=True)
    assert noted.uses("entropy") == [("train.py", 5)] * 2
    assert set(noted.trace.streams) == {"main", "main/worker1", "main/worker2"}
