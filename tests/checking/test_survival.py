"""Whatever is killed or fills up: nothing is left running, nothing is lost, one line says what."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import uuid

import pytest

from conftest import environment
from processes import is_alive, needs_proc, parent_of, wait_for, wait_for_number, with_variable
from seedproof.checking.store import CHECKS, PLAN_FILE, RESULT_FILE
from seedproof.cli.request import Request
from seedproof.errors import UsageError
from seedproof.inside.run_directory import TRACE_DIRECTORY
from seedproof.runner.base import EXIT_FILE, STDERR_FILE
from seedproof.trace.reader import main_stream

pytestmark = needs_proc

RECORD = """
import seedproof
for step in range(20):
    seedproof.record("weights", step / 7, step=step, phase="update")
"""
# The first runs, as many as the argument says, end; the others wait until there is a file `go`.
# They tell of themselves in a directory that all runs share, outside of their private views.
WAIT = """
import os, sys, time
told = os.environ["TEST_TOLD"]
number = 0
while True:
    try:
        os.close(os.open(f"{told}/begun-{number}", os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:
        number += 1
with open(f"{told}/pid-{number}", "w") as file:
    file.write(f"{os.getpid()}\\n")
while number >= int(sys.argv[1]) and not os.path.exists(f"{told}/go"):
    time.sleep(0.01)
"""
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
# No values of these options.
WRONG = [
    ("policy", None), ("policy", []), ("policy", ["unheard-of"]), ("policy", "seeded"),
    ("pin", [{}]), ("pin", "seeds"), ("vary", ["hash_seed=x"]), ("runs", "3"), ("runs", None),
    ("runs", 1), ("seed", 0.5), ("threads", True), ("jobs", []), ("python", 3),
    ("keep_going", 0), ("timeout", "long"), ("timeout", -1.0), ("steps", 0), ("steps", "half"),
    ("outputs", "*"), ("control", 1), ("in_place", "no"),
]  # fmt: skip
# What differs between two checks that found the same.
VOLATILE = {"at", "clock", "cpu", "cpu_seconds", "directory", "pid", "seconds"}


class Background:
    """A check that goes on while the test looks at it."""

    def __init__(self, directory, told, *arguments):
        self.told = told
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seedproof", "check", "--python", sys.executable, *arguments],
            cwd=directory,
            env=environment(TEST_MARK=self.mark),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, number):
        """The process of a run that has got to its waiting point."""
        return wait_for_number(self.told / f"pid-{number}")

    def left(self):
        """Its processes that are still there."""
        return with_variable("TEST_MARK", self.mark)

    def ended(self):
        """Its status and the lines of its standard error."""
        _, err = self.process.communicate(timeout=300)
        return self.process.returncode, err.splitlines()


@pytest.fixture
def told(tmp_path_factory, monkeypatch):
    """Where the runs of a script that uses `WAIT` tell of themselves."""
    directory = tmp_path_factory.mktemp("told")
    monkeypatch.setenv("TEST_TOLD", str(directory))
    return directory


@pytest.fixture
def background(tmp_path, told):
    started = []

    def start(*arguments):
        started.append(Background(tmp_path, told, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate(timeout=300)
        wait_for(lambda each=each: not each.left())


def comparable(value):
    """A check's JSON without times, process numbers and directories."""
    if isinstance(value, dict):
        return {
            key: comparable(item)
            for key, item in value.items()
            if key not in VOLATILE and not key.endswith("_seconds")
        }
    return [comparable(item) for item in value] if isinstance(value, list) else value


def last_check(directory):
    return max((directory / CHECKS).iterdir())


def our_lines(err):
    return [line for line in err.splitlines() if line.startswith("seedproof:")]


# -- killed ------------------------------------------------------------------------------------


def test_a_run_that_is_killed_is_a_script_that_failed(seedproof, script):
    name = script(RECORD + "import os; os.kill(os.getpid(), 9)")
    done = seedproof("check", "--python", sys.executable, name)
    assert done.status == 4
    (line,) = our_lines(done.err)
    assert line.startswith("seedproof: as-is, runs 0, 1, 2: the script was killed by SIGKILL: ")


def test_a_killed_parent_leaves_no_process_and_all_that_was_recorded(background, script, tmp_path):
    check = background("--jobs", "1", script(RECORD + WAIT), "1")
    check.run(1)
    check.process.kill()
    wait_for(lambda: not check.left())
    kept = last_check(tmp_path / ".seedproof")
    assert json.loads((kept / "as-is" / "0" / EXIT_FILE).read_text())["returncode"] == 0
    for index in ("0", "1"):
        stream = main_stream(kept / "as-is" / index / TRACE_DIRECTORY)
        stream.refresh()
        (table,) = stream.tables.values()
        assert table.whole_rows() == 20


@pytest.mark.parametrize("prelude", ["", IGNORE_SIGTERM], ids=["", "ignoring SIGTERM"])
def test_after_a_killed_parent_continue_finds_what_an_undisturbed_check_finds(
    background, seedproof, script, prelude, told
):
    name = script(prelude + RECORD + WAIT)
    options = ("--jobs", "1", "--policy", "seeded", "--vary", "num_threads=1,2")
    disturbed = background(*options, name, "1")
    disturbed.run(1)
    disturbed.process.kill()
    (told / "go").touch()
    found = seedproof.check("--continue")
    assert not disturbed.left()
    assert found["verdict"] == "identical"
    undisturbed = seedproof.check("--dir", "other", *options, name, "1")
    assert comparable(found) == comparable(undisturbed)


def test_continue_does_not_run_again_what_has_ended(background, seedproof, script, told):
    check = background("--jobs", "1", script(RECORD + WAIT), "2")
    check.run(2)
    check.process.kill()
    (told / "go").touch()
    assert seedproof.check("--continue")["exit"] == 0
    assert sorted(path.name for path in told.glob("begun-*")) == [
        "begun-0",
        "begun-1",
        "begun-2",
        "begun-3",
    ]


def test_continue_in_another_environment_runs_again_what_has_ended(
    background, seedproof, script, told
):
    record = "import os, seedproof\nseedproof.record('threads', int(os.environ['OMP_NUM_THREADS']))"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        check = background("--jobs", "1", "--runs", "2", script(record + WAIT), "1")
    check.run(1)
    check.process.kill()
    (told / "go").touch()
    found = seedproof.check("--continue", OMP_NUM_THREADS="2")
    assert found["verdict"] == "identical"
    assert len(list(told.glob("begun-*"))) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"command": "python"},
        {"directory": None},
        {"target": [1]},
        {"by_name": None},
        {"asked": []},
        *({"asked": {key: value}} for key, value in WRONG),
    ],
    ids=str,
)
def test_a_plan_that_somebody_has_spoilt_is_refused_in_one_line(change, tmp_path):
    asked = {"policy": ["seeded"], "pin": None, "vary": None, "runs": 3, "seed": 0, "threads": 1}
    asked |= {"steps": None, "outputs": None, "control": False, "in_place": False}
    asked |= {"jobs": None, "python": None, "keep_going": False, "timeout": 1.5}
    words = {"command": ["a"], "target": ["a"], "typed": [], "by_name": [], "directory": "/"}
    sound = {"verb": "check", **words, "asked": asked}
    assert Request.kept(sound, tmp_path).to_json() == sound
    if isinstance(change.get("asked"), dict):
        change = {"asked": {**asked, **change["asked"]}}
    with pytest.raises(UsageError, match="is damaged; start a new check without --continue"):
        Request.kept({**sound, **change}, tmp_path)


def test_a_check_that_still_goes_on_is_not_taken_over(background, seedproof, script):
    check = background("--jobs", "1", script(RECORD + WAIT), "0")
    check.run(0)
    done = seedproof("check", "--continue")
    assert done.status == 2
    assert our_lines(done.err) == [
        "seedproof: --continue: found no interrupted check in .seedproof; start one without it"
    ]
    assert check.process.poll() is None


def test_a_killed_guard_ends_the_check_which_can_go_on(background, seedproof, script, told):
    check = background("--jobs", "1", script(RECORD + WAIT), "1")
    run = check.run(1)
    os.kill(parent_of(run), signal.SIGKILL)
    status, err = check.ended()
    assert status == 3
    assert err[-1] == (
        "seedproof: the process that guarded run 1 of as-is was killed; go on with --continue"
    )
    assert not check.left()
    (told / "go").touch()
    assert seedproof.check("--continue")["verdict"] == "identical"


# -- interrupted -------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["the parent", "as a terminal does"])
def test_ctrl_c_leaves_no_process_and_says_how_to_go_on(background, seedproof, script, whom, told):
    check = background("--jobs", "1", "--dir", "my runs", script(RECORD + WAIT), "1")
    check.run(1)
    whom(check.process.pid, signal.SIGINT)
    status, err = check.ended()
    assert not check.left()
    assert status == 130
    said = [line for line in err if line.startswith("seedproof:")]
    (go_on,) = said
    assert go_on == (
        "seedproof: interrupted; go on with: seedproof check --continue --dir 'my runs'"
    )
    (told / "go").touch()
    command = shlex.split(go_on.partition("go on with: ")[2])
    assert seedproof(*command[1:]).status == 0


def test_ctrl_c_ends_a_run_that_ignores_sigterm(background, script):
    check = background("--jobs", "1", script(IGNORE_SIGTERM + RECORD + WAIT), "0")
    run = check.run(0)
    check.process.send_signal(signal.SIGINT)
    assert check.ended()[0] == 130
    assert not is_alive(run)


def test_sigterm_to_the_parent_leaves_no_process(background, script):
    check = background(script(RECORD + WAIT), "0")
    check.run(0)
    check.process.terminate()
    check.ended()
    wait_for(lambda: not check.left())


# -- scripts that misbehave --------------------------------------------------------------------


def test_a_script_that_raises_is_told_with_its_last_line_and_its_log(seedproof, script, tmp_path):
    name = script(RECORD + "raise RuntimeError('no such layer: conv7')")
    done = seedproof("check", "--python", sys.executable, name)
    assert done.status == 4
    (line,) = our_lines(done.err)
    assert "as-is, runs 0, 1, 2: the script ended with status 1: " in line
    assert "RuntimeError: no such layer: conv7" in line
    log = tmp_path / line.rpartition("(see ")[2].rstrip(")")
    assert "Traceback" in log.read_text()


def test_what_was_compared_before_a_script_failed_is_told(seedproof, script):
    result = seedproof.check(script(RECORD + "raise SystemExit(1)"))
    assert result["exit"] == 4
    (arm,) = result["arms"]
    assert [run["records"] for run in arm["runs"]] == [20, 20, 20]


CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hang!r}])\n"
DETACHED = (
    "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    {hang}"
)
HANG = "import time; time.sleep(100000)"


@pytest.mark.parametrize("leave", [CHILD, DETACHED], ids=["a child", "a daemon"])
def test_what_a_script_leaves_behind_ends_with_it(background, script, leave):
    check = background(script(RECORD + leave.format(hang=HANG)))
    status, err = check.ended()
    assert status == 0, err
    assert not check.left()


@pytest.mark.parametrize("prelude", ["", IGNORE_SIGTERM], ids=["", "ignoring SIGTERM"])
def test_a_run_that_hangs_is_stopped_by_the_timeout(background, script, tmp_path, prelude):
    check = background("--runs", "2", "--timeout", "1", script(prelude + RECORD + HANG))
    status, err = check.ended()
    assert not check.left()
    assert status == 124
    log = last_check(tmp_path / ".seedproof").relative_to(tmp_path) / "as-is" / "0" / STDERR_FILE
    assert [line for line in err if line.startswith("seedproof:")] == [
        f"seedproof: as-is, runs 0, 1: stopped by --timeout before its end (see {log})"
    ]


@pytest.mark.parametrize(
    "rest", ["for step in itertools.count(1): record(step)", HANG], ids=["recording", "silent"]
)
def test_a_divergence_ends_the_check_though_the_training_would_go_on(seedproof, script, rest):
    name = script(f"""
import itertools, os, seedproof
def record(step):
    seedproof.record("weights", os.urandom(8), step=step, phase="update")
record(0)
{rest}
""")
    result = seedproof.check("--jobs", "2", "--runs", "2", name)
    assert result["exit"] == 1
    (arm,) = result["arms"]
    assert arm["divergence"]["step"] == 0
    assert [run["stopped"] for run in arm["runs"]] == ["diverged", "diverged"]


# -- disks and directories ---------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "small", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount a disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


# The recording does not fit; a file of the script's own does not, while ours still do.
TOO_MUCH_TO_RECORD = """
import seedproof
for step in range(60):
    seedproof.record("weights", [step / 7] * 1000, step=step, phase="update")
"""
TOO_MUCH_TO_WRITE = f"""
{RECORD}
import os
try:
    os.posix_fallocate(os.open("disk/own", os.O_WRONLY | os.O_CREAT), 0, 1 << 20)
finally:
    os.remove("disk/own")
"""


@pytest.mark.parametrize(
    ("program", "room", "where"),
    [(TOO_MUCH_TO_RECORD, 1 << 20, []), (TOO_MUCH_TO_WRITE, 1 << 16, ["--in-place"])],
    ids=["for the recording", "for the script"],
)
def test_a_full_disk_ends_the_check_which_can_go_on(
    background, seedproof, script, small_disk, program, room, where
):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - room))
    options = ("--jobs", "1", "--dir", str(small_disk))
    check = background(*options, *where, script(program))
    status, err = check.ended()
    assert not check.left()
    assert status == 3
    (line,) = [line for line in err if line.startswith("seedproof:")]
    assert line == (
        f"seedproof: the disk that holds {last_check(small_disk)} is full; free some space, then "
        "go on with --continue"
    )
    ballast.unlink()
    result = seedproof.check("--continue", "--dir", str(small_disk))
    assert result["verdict"] == "identical"
    assert {run["returncode"] for run in result["arms"][0]["runs"]} == {0}


@pytest.fixture
def read_only(tmp_path):
    """A directory that cannot be written, whoever the user is."""
    place = tmp_path / "read-only"
    place.mkdir()
    if os.geteuid() != 0:
        place.chmod(0o500)
        yield place
        place.chmod(0o700)
    elif subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "none", str(place)], capture_output=True
    ).returncode:
        pytest.skip("root may write everywhere")
    else:
        yield place
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_directory_that_cannot_be_written_is_refused(seedproof, script, read_only):
    done = seedproof("check", "--python", sys.executable, "--dir", str(read_only), script(RECORD))
    assert done.status == 2
    (line,) = our_lines(done.err)
    assert line.startswith(f"seedproof: --dir {read_only}: runs cannot be kept there (")
    assert line.endswith("; name a directory that can be written: --dir PATH")


def test_a_directory_below_a_file_is_refused(seedproof, script, tmp_path):
    (tmp_path / "file").touch()
    done = seedproof("check", "--python", sys.executable, "--dir", "file/below", script(RECORD))
    assert done.status == 2
    (line,) = our_lines(done.err)
    assert line == (
        "seedproof: --dir file/below: runs cannot be kept there (not a directory); name a "
        "directory that can be written: --dir PATH"
    )


def test_a_check_that_was_interrupted_has_its_plan_and_no_result(background, script, tmp_path):
    check = background("--jobs", "1", script(RECORD + WAIT), "0")
    check.run(0)
    check.process.send_signal(signal.SIGINT)
    check.ended()
    kept = last_check(tmp_path / ".seedproof")
    assert (kept / PLAN_FILE).exists()
    assert not (kept / RESULT_FILE).exists()
