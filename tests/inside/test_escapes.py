"""What is written outside of the private view is noticed, and nothing else is said."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import seedproof
from conftest import environment

SOURCES = str(Path(seedproof.__file__).parents[1])
WATCH = """
import json, os, sys
from seedproof.inside import escapes
quiet, told = escapes._NO_DATA, []
places = json.loads(sys.argv[1])
view, out, run = places['view'], places['out'], places['run']
escapes._NO_DATA = ()  # tests lie in the temporary directory
os.chdir(view)
{before}
escapes.watch(view, [run], told.append, [view + '/shared'])
{program}
sys.stdout.write(json.dumps(told))
"""
WRITES = {
    "open": "open(out + '/new', 'w')",
    "append": "open(out + '/there', 'ab')",
    "update": "open(out + '/there', 'r+')",
    "os.open": "os.open(out + '/new', os.O_CREAT | os.O_WRONLY)",
    "path": "import pathlib; pathlib.Path(out, 'new').write_text('x')",
    "path object": "import pathlib; open(pathlib.Path(out, 'new'), 'w')",
    "bytes": "open(os.fsencode(out) + b'/new', 'w')",
    "relative": "open('../out/new', 'w')",
    "after chdir": "os.chdir(out); open('new', 'w')",
    "link": "os.symlink(out, 'link'); open('link/new', 'w')",
    "remove": "os.remove(out + '/there')",
    "rename away": "os.rename(out + '/there', 'here')",
    "rename to": "open('a', 'w').close(); os.replace('a', out + '/a')",
    "copy": "import shutil; open('a', 'w').close(); shutil.copy('a', out)",
    "hard link": "open('a', 'w').close(); os.link('a', out + '/a')",
    "truncate": "os.truncate(out + '/there', 0)",
    "temporary": "import tempfile; tempfile.NamedTemporaryFile(dir=out).close()",
    "sqlite": "import sqlite3; sqlite3.connect(out + '/base').close()",
}
QUIET = {
    "reads": "open(out + '/there').read(); os.listdir(out); os.stat(out)",
    "in the view": "open('a', 'w'); open(view + '/b', 'w'); os.mkdir('c'); os.rename('a', 'd')",
    "in the run's directory": "open(run + '/trace', 'w')",
    "a directory that is there": "os.makedirs(out, exist_ok=True)",
    "descriptors": "open(os.dup(1), 'w', closefd=True)",
    "from a directory": "os.mkdir('d'); f = os.open('d', 0); os.mkdir('../../out', dir_fd=f)",
    "compiled code": "os.mkdir('d'); open(out + '/__pycache__/m.pyc.123', 'w')",
    "no file": "import sqlite3; sqlite3.connect(':memory:').close()",
}


@pytest.fixture
def places(tmp_path):
    """A view with something shared in it, the run's directory, and what lies outside."""
    found = {name: tmp_path / name for name in ("view", "run", "out")}
    for path in (*found.values(), tmp_path / "view" / "shared", tmp_path / "out" / "__pycache__"):
        path.mkdir()
    (found["out"] / "there").write_text("there")
    return {name: str(path) for name, path in found.items()}


@pytest.fixture
def told(places, tmp_path):
    """What is told of a program."""

    def run(program, before="", **variables):
        text = WATCH.format(program=program, before=before)
        path = {"PYTHONPATH": SOURCES, "TMPDIR": str(tmp_path / "temporary")}
        done = subprocess.run(
            [sys.executable, "-c", text, json.dumps(places)],
            env=environment(**path, **variables),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("program", WRITES.values(), ids=WRITES)
def test_the_directory_in_which_something_is_written_is_told(told, places, program):
    assert told(program) == [places["out"]]


@pytest.mark.parametrize("program", QUIET.values(), ids=QUIET)
def test_of_everything_else_nothing_is_said(told, program):
    caught = f"try:\n    {program}\nexcept OSError: pass"
    assert told(caught) == []


def test_a_directory_is_told_once_and_what_is_below_not_again(told, places):
    program = "for n in range(3): open(out + f'/{n}', 'w')\n"
    assert told(program + "os.makedirs(out + '/a/b'); open(out + '/a/b/c', 'w')") == [places["out"]]


def test_a_directory_that_is_made_is_told_itself(told, places):
    assert told("os.makedirs(out + '/a/b')") == [places["out"] + "/a"]


def test_no_more_than_five_are_told(told):
    program = "for n in range(9): os.mkdir(out + f'/{n}')"
    assert len(told(program)) == 5


def test_what_is_shared_in_the_view_counts(told, places):
    assert told("open('shared/a', 'w')") == [places["view"] + "/shared"]


@pytest.mark.parametrize("variable", ["TMPDIR", "XDG_CACHE_HOME", "HF_HOME"])
def test_temporary_files_and_caches_do_not_count(told, places, variable):
    assert told("open(out + '/a', 'w')", f"os.environ[{variable!r}] = out") == []


def test_devices_caches_and_temporary_directories_are_known(told):
    known = "told[:] = [path for path in quiet]"
    assert {"/dev", "/proc", "/tmp", "~/.cache"} <= set(told(known))


def test_a_forked_process_is_watched_too(told, places):
    program = "if os.fork():\n    os.wait()\n    told = json.load(open('told'))\nelse:\n"
    program += "    open(out + '/a', 'w')\n    json.dump(told, open('told', 'w'))\n    os._exit(0)"
    assert told(program + "") == [places["out"]]


COMPILED = """
import torch
torch.manual_seed(0)
model = torch.nn.Linear(8, 1)
def loss(x):
    id(x)  # an audit event in what is compiled
    return model(x).sin().mean()
compiled = torch.compile(loss, backend='aot_eager')
for _ in range(3): compiled(torch.ones(4, 8)).backward()
frames = torch._dynamo.utils.counters['frames']['total']
told[:] = [frames, *[p.grad.sum().item().hex() for p in model.parameters()]]
"""


@pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")
def test_the_compiler_of_pytorch_takes_no_notice(told):
    unwatched = "escapes.watch = lambda *_: None"
    assert told(COMPILED) == told(COMPILED, unwatched)


def test_what_fails_in_the_telling_does_not_fail_the_program(told, places):
    before = "def fail(directory): told.append(directory); raise RuntimeError\n"
    before += "watch = escapes.watch\n"
    before += "escapes.watch = lambda view, runs, tell, shared: watch(view, runs, fail, shared)"
    assert told("open(out + '/a', 'w').write('a')", before) == [places["out"]]


def test_paths_that_are_no_paths_fail_as_they_would_unwatched(told):
    for bad in ("None", "1.5", "'a\\0b'"):
        program = f"try: open({bad}, 'w')\nexcept (TypeError, ValueError): told.append('failed')"
        assert told(program) == ["failed"]
