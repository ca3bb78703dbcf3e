"""Every process of a run has a stream named by its role, the same in every run."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import environment
from traces import BOOTSTRAP

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def events(stream: Path) -> list[dict]:
    return [json.loads(line) for line in (stream / "events.jsonl").read_text().splitlines()]


@pytest.fixture
def run(tmp_path):
    """Runs a script recorded; the streams that it leaves, by role, with their events."""

    def run(script: str, *, status: int = 0, command: tuple[str, ...] = (), **variables: str):
        place = tmp_path / "run"
        place.mkdir()
        (place / "launch.json").write_text('{"pins": {}, "inside_environment": {}}')
        (tmp_path / "train.py").write_text("import seedproof\n" + script)
        done = subprocess.run(
            command or [sys.executable, "train.py"],
            cwd=tmp_path,
            env=environment(
                PYTHONPATH=os.fspath(BOOTSTRAP), _SEEDPROOF_RUN=str(place), **variables
            ),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        trace = place / "trace"
        found = (file.parent for file in trace.rglob("events.jsonl"))
        return {str(stream.relative_to(trace)): events(stream) for stream in found}

    return run


def kinds(stream: list[dict]) -> list[str]:
    return [event["event"] for event in stream]


def test_the_first_process_is_main_and_has_a_stream_whatever_it_does(run):
    streams = run("")
    assert list(streams) == ["main"]
    assert streams["main"][0]["role"] == "main"
    assert kinds(streams["main"])[-1] == "end"


def test_a_process_that_records_nothing_leaves_no_stream(run):
    streams = run("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import numpy'])")
    assert list(streams) == ["main"]


@needs_fork
def test_a_fork_is_told_by_its_number(run):
    streams = run(
        "import os\n"
        "for number in range(3):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        if number != 1: seedproof.record('w', number)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "seedproof.record('w', 9)\n"
    )
    assert sorted(streams) == ["main", "main/fork0", "main/fork2"]
    assert kinds(streams["main/fork2"])[-1] == "end"


@needs_fork
def test_a_fork_of_a_fork_stands_below_it(run):
    streams = run(
        "import os\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        seedproof.record('w', 1)\n"
        "    else:\n"
        "        os.wait()\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    assert sorted(streams) == ["main", "main/fork0/fork0"]


WORKERS = """
import multiprocessing

def work(number):
    seedproof.record("w", number)

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    for number in range(2):
        worker = context.Process(target=work, args=(number,))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_worker_is_told_by_the_count_of_multiprocessing(run, method):
    streams = run(WORKERS.format(method=method))
    assert sorted(streams) == ["main", "main/worker1", "main/worker2"]
    assert kinds(streams["main/worker1"])[-1] == "end"
    assert streams["main/worker2"][0]["role"] == "main/worker2"


SCRIPTS = """
import subprocess, sys
with open("prepare.py", "w") as file:
    file.write("import sys, seedproof; seedproof.record('w', sys.argv[1])")
processes = [[sys.executable, "prepare.py", number] for number in "01"]
"""


def test_scripts_that_follow_each_other_are_numbered(run):
    streams = run(SCRIPTS + "for one in processes: subprocess.run(one, check=True)\n")
    assert sorted(streams) == ["main", "main/prepare.py", "main/prepare.py#1"]
    assert not any("ambiguous" in kinds(stream) for stream in streams.values())


def test_scripts_side_by_side_cannot_be_told_apart(run):
    streams = run(
        SCRIPTS
        + "with open('prepare.py', 'a') as file: file.write('\\nsys.stdin.read()')\n"
        + "running = [subprocess.Popen(one, stdin=subprocess.PIPE) for one in processes]\n"
        + "import os, time\n"
        + "trace = os.path.join(os.environ['_SEEDPROOF_RUN'], 'trace', 'main')\n"
        + "while not os.path.exists(os.path.join(trace, 'prepare.py#1', '0.rows')):\n"
        + "    time.sleep(0.01)\n"
        + "for one in running: one.communicate()\n"
    )
    assert sorted(streams) == ["main", "main/prepare.py", "main/prepare.py#1"]
    assert "ambiguous" in kinds(streams["main/prepare.py#1"])


def test_a_rank_has_a_stream_even_if_it_is_the_first_process(run):
    streams = run("", RANK="1", WORLD_SIZE="2")
    assert list(streams) == ["rank1"]
    assert streams["rank1"][0]["world_size"] == 2


def test_what_a_rank_starts_stands_below_it(run):
    child = "import seedproof; seedproof.record('w', 1)"
    streams = run(
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}], check=True)",
        RANK="0",
        WORLD_SIZE="1",
    )
    assert sorted(streams) == ["rank0", "rank0/-c"]


def test_the_name_of_a_script_cannot_leave_the_trace(run, tmp_path):
    name = "..\nodd é" + "x" * 100 + ".py"
    (tmp_path / name).write_text("import seedproof; seedproof.record('w', 1)")
    streams = run(f"import subprocess, sys\nsubprocess.run([sys.executable, {name!r}], check=True)")
    (role,) = set(streams) - {"main"}
    assert role.startswith("main/_")
    assert len(role) < 70


def test_steps_end_a_run_with_what_is_asked_for(tmp_path):
    place = tmp_path / "run"
    place.mkdir()
    (place / "launch.json").write_text('{"pins": {}, "inside_environment": {}, "steps": 3}')
    script = "import seedproof\nfor x in range(99): seedproof.record('w', x); print(x, flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(PYTHONPATH=os.fspath(BOOTSTRAP), _SEEDPROOF_RUN=str(place)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "0\n1\n2\n")
    last = events(place / "trace" / "main")[-1]
    assert (last["event"], last["stopped_after"]) == ("end", 3)
