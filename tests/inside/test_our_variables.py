"""A script does not see the variables that record it, and all that it starts is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from conftest import environment
from traces import BOOTSTRAP

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there they stand among the others")

TELL = "import json, os, sys; print(json.dumps([[*os.environ.items()], sys.path]), flush=True)"
STARTS = {
    "subprocess, its own": "subprocess.run([sys.executable, '-c', TELL])",
    "subprocess, a copy": "subprocess.run([sys.executable, '-c', TELL], env=os.environ.copy())",
    "subprocess, itself": "subprocess.run([sys.executable, '-c', TELL], env=os.environ)",
    "subprocess, by keyword": "subprocess.run([sys.executable, '-c', TELL], env={**os.environ})",
    "subprocess, nothing": "subprocess.run([sys.executable, '-c', TELL], env={})",
    "subprocess, an empty path": "subprocess.run([sys.executable, '-c', TELL], "
    "env={'PYTHONPATH': ''})",
    "a shell": "os.system(f'{sys.executable} -c \"{TELL}\"')",
    "execve": "os.execve(sys.executable, ['python', '-c', TELL], os.environ)",
    "execv": "os.execv(sys.executable, ['python', '-c', TELL])",
    "execle": "os.execle(sys.executable, 'python', '-c', TELL, {'A': '1'})",
    "spawnve": "os.spawnve(os.P_WAIT, sys.executable, ['python', '-c', TELL], {'A': '1'})",
    "posix_spawn": (
        "os.waitpid(os.posix_spawn(sys.executable, ['python', '-c', TELL], {'A': '1'}), 0)"
    ),
    "execve, by keyword": (
        "os.execve(path=sys.executable, argv=['python', '-c', TELL], env={b'A': b'1'})"
    ),
    "after PYTHONPATH was set": (
        "os.environ['PYTHONPATH'] = '/elsewhere'; subprocess.run([sys.executable, '-c', TELL])"
    ),
    "after PYTHONPATH was taken away": (
        "os.environ.pop('PYTHONPATH', None); subprocess.run([sys.executable, '-c', TELL])"
    ),
    "after all was taken away": "os.environ.clear(); subprocess.run([sys.executable, '-c', TELL])",
    "multiprocessing": (
        "import multiprocessing\nif __name__ == '__main__':\n"
        "    started = multiprocessing.get_context('spawn').Process(target=exec, args=(TELL,))\n"
        "    started.start(); started.join()"
    ),
}


def left_by(tmp_path, program, *, recorded, **variables):
    """What a program prints, as JSON, and the run's directory."""
    run = tmp_path / "run"
    if recorded:
        run.mkdir()
        launch = {"pins": {}, "inside_environment": {}, "ours": ["TRITON_CACHE_DIR"], "notes": True}
        (run / "launch.json").write_text(json.dumps(launch))
        own = [variables["PYTHONPATH"]] if "PYTHONPATH" in variables else []
        path = os.pathsep.join([os.fspath(BOOTSTRAP), *own])
        ours = {"PYTHONPATH": path, "_SEEDPROOF_RUN": str(run), "TRITON_CACHE_DIR": "/ours"}
        variables = {**variables, **ours}
    (tmp_path / "train.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=tmp_path,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), run


def both(tmp_path, program, **variables):
    """What a program prints without us, and with us."""
    return [
        left_by(tmp_path, program, recorded=recorded, **variables)[0] for recorded in (False, True)
    ]


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize(
    "variables",
    [{}, {"PYTHONPATH": "/mine"}, {"PYTHONPATH": ""}],
    ids=["bare", "with a path", "with an empty path"],
)
def test_a_child_finds_what_it_finds_without_us(tmp_path, start, variables):
    program = f"import os, subprocess, sys\nTELL = {TELL!r}\n{start}\n"
    alone, observed = both(tmp_path, program, **variables)
    assert observed == alone


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_every_child_is_recorded(tmp_path, start):
    tell = "import seedproof; seedproof.record('w', 1); print(1)"
    program = f"import os, subprocess, sys\nTELL = {tell!r}\n{start}\n"
    _, run = left_by(tmp_path, program, recorded=True)
    tables = [file for file in (run / "trace").rglob("*.rows") if file.stat().st_size]
    assert tables


def test_the_script_lists_what_it_was_given_and_finds_ours_by_name(tmp_path):
    program = (
        "import copy, json, os\n"
        "found = [os.environ.get(name) for name in ('PYTHONPATH', 'TRITON_CACHE_DIR')]\n"
        "print(json.dumps([sorted(os.environ), len(os.environ), len(os.environb),\n"
        "    str(os.environ), os.environ.copy() == dict(os.environ), found]))\n"
    )
    alone, observed = both(tmp_path, program, PYTHONPATH="/mine")
    assert observed[:-1] == alone[:-1]
    assert (alone[-1], observed[-1]) == (["/mine", None], ["/mine", "/ours"])


def test_the_environment_can_be_read_anew(tmp_path):
    """As `os.reload_environ` does it."""
    program = (
        "import json, os\n"
        "found = dict(os.environ._data) if '_SEEDPROOF_RUN' not in os.environ else {\n"
        "    **os.environ._data, **os.environ._data.ours,\n"
        "    b'PYTHONPATH': os.environ._data.way_in + b':/mine'}\n"
        "os.environ._data.clear()\n"
        "os.environ._data.update(found)\n"
        "print(json.dumps([sorted(os.environ), os.environ['PYTHONPATH']]))\n"
    )
    alone, observed = both(tmp_path, program, PYTHONPATH="/mine")
    assert observed == alone


def test_one_of_ours_can_be_set_and_taken_away(tmp_path):
    program = (
        "import json, os, subprocess, sys\n"
        "def found(): return subprocess.run([sys.executable, '-c',\n"
        "    'import os; print(os.environ.get(\"TRITON_CACHE_DIR\"))'], env=dict(os.environ),\n"
        "    capture_output=True, text=True).stdout.strip()\n"
        "told = [found()]\n"
        "os.environ['TRITON_CACHE_DIR'] = '/mine'\n"
        "told += [found(), 'TRITON_CACHE_DIR' in list(os.environ)]\n"
        "del os.environ['TRITON_CACHE_DIR']\n"
        "os.environ.pop('TRITON_CACHE_DIR')\n"
        "told += [found(), os.environ.pop('TRITON_CACHE_DIR', 'gone')]\n"
        "print(json.dumps(told))\n"
    )
    told, _ = left_by(tmp_path, program, recorded=True)
    assert told == ["/ours", "/mine", True, "None", "gone"]


REFUSED = """
import json, os, subprocess, sys
told = []
for start in (
    lambda given: subprocess.run([sys.executable, "-c", ""], env=given),
    lambda given: os.posix_spawn(sys.executable, ["python"], given),
):
    try:
        start({given})
    except Exception as error:
        told.append([type(error).__name__, str(error)])
print(json.dumps(told))
"""


@pytest.mark.parametrize("given", ["5", "[('A', '1')]", "{'A': 1}", "{1: 'A'}"])
def test_an_environment_that_is_none_is_refused_as_without_us(tmp_path, given):
    program = REFUSED.replace("{given}", given)
    alone, observed = both(tmp_path, program)
    assert observed == alone
    assert len(alone) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("list(os.environ)", 1),
        ("sum(map(len, os.environ.values()))", 1),
        ("repr(os.environ)", 1),
        ("subprocess.run(['true'], env=os.environ)", 0),
        ("os.waitpid(os.posix_spawn('/bin/true', ['true'], os.environ), 0)", 0),
        ("os.environ.get('HOME')", 0),
    ],
)
def test_who_reads_all_variables_is_told(tmp_path, line, told):
    _, run = left_by(tmp_path, f"import os, subprocess\n{line}\nprint(1)\n", recorded=True)
    events = (run / "trace" / "main" / "events.jsonl").read_text().splitlines()
    used = [event for event in map(json.loads, events) if event["event"] == "used"]
    assert [(event["source"], event["line"]) for event in used] == [("environment", 2)] * told
