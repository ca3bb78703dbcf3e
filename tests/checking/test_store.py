"""A check's directory: made, found again, kept from others, and readable whatever is in it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from processes import wait_for
from seedproof.checking.store import CHECKS, PLAN_FILE, RESULT_FILE, Store, write_json
from seedproof.errors import UsageError
from seedproof.runner.base import EXIT_FILE

CHECK = {"verb": "check", "asked": {}}
ENDED = {"returncode": 0, "seconds": 1.5, "cpu_seconds": 1.0, "stopped": None, "ended": 12.0}
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="no such locks")


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path, CHECK)


@pytest.fixture
def held():
    """Holds a directory as another process does, until that process is told to end."""
    started = []

    def hold(directory):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", HOLD, str(directory / "in-use")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield hold
    for process in started:
        process.communicate()


def put_exit(store, **fields):
    store.fresh_run("seeded", 0)
    (store.run("seeded", 0) / EXIT_FILE).write_text(json.dumps({**ENDED, **fields}))


# -- made and found again ----------------------------------------------------------------------


def test_it_ignores_itself_in_git(store, tmp_path):
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_an_ignore_file_of_the_users_own_stays(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")
    Store.create(tmp_path, CHECK)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_checks_of_one_second_have_directories_of_their_own_that_sort_by_time(tmp_path):
    made = [Store.create(tmp_path, CHECK).root for _ in range(30)]
    assert sorted(made) == made
    assert len(set(made)) == 30


def test_a_directory_below_a_file_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as refused:
        Store.create(tmp_path / "file" / "below", CHECK)
    assert str(refused.value) == (
        f"--dir {tmp_path}/file/below: runs cannot be kept there (not a directory); name a "
        "directory that can be written: --dir PATH"
    )


def test_the_last_check_without_a_result_is_the_unfinished_one(tmp_path):
    stores = [Store.create(tmp_path, {**CHECK, "number": number}) for number in range(4)]
    stores[3].write(RESULT_FILE, {})
    found, request = Store.unfinished(tmp_path, "check")
    assert (found, request["number"]) == (stores[2], 2)


def test_the_check_of_another_verb_is_not_gone_on_with(tmp_path):
    Store.create(tmp_path, {"verb": "demo"})
    with pytest.raises(UsageError, match=r"^--continue: found no interrupted check in "):
        Store.unfinished(tmp_path, "check")


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"verb": 3}', "\x00"])
def test_a_damaged_plan_is_none(store, tmp_path, content):
    (store.root / PLAN_FILE).write_text(content)
    with pytest.raises(UsageError, match="found no interrupted check"):
        Store.unfinished(tmp_path, "check")


def test_where_there_was_never_a_check_none_is_found(tmp_path):
    with pytest.raises(UsageError, match="found no interrupted check"):
        Store.unfinished(tmp_path / "nowhere", "check")


@needs_locks
def test_a_check_that_another_process_is_at_is_not_unfinished(tmp_path, held):
    root = tmp_path / CHECKS / "20200101-000000"
    root.mkdir(parents=True)
    write_json(root / PLAN_FILE, CHECK)
    other = held(root)
    with pytest.raises(UsageError, match="found no interrupted check"):
        Store.unfinished(tmp_path, "check")
    other.communicate()
    assert Store.unfinished(tmp_path, "check") == (Store(root), CHECK)


# -- runs --------------------------------------------------------------------------------------


def test_a_run_that_ended_is_known(store):
    put_exit(store)
    end = store.exit("seeded", 0)
    assert (end.returncode, end.seconds, end.cpu_seconds, end.ended) == (0, 1.5, 1.0, 12.0)


@pytest.mark.parametrize("stopped", ["diverged", "timeout"])
def test_a_run_that_we_ended_for_good_is_known_too(store, stopped):
    put_exit(store, stopped=stopped, returncode=-15)
    assert store.exit("seeded", 0).stopped == stopped


@pytest.mark.parametrize("stopped", ["interrupted", "parent lost", "guard lost"])
def test_a_run_that_was_stopped_half_way_is_to_run_again(store, stopped):
    put_exit(store, stopped=stopped, returncode=-15)
    assert store.exit("seeded", 0) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"returncode": "x"}', "\x00"])
def test_a_damaged_exit_is_none(store, content):
    put_exit(store)
    (store.run("seeded", 0) / EXIT_FILE).write_text(content)
    assert store.exit("seeded", 0) is None


def test_an_exit_can_be_forgotten(store):
    put_exit(store)
    store.forget_exit("seeded", 0)
    assert store.exit("seeded", 0) is None
    store.forget_exit("seeded", 0)


def test_a_fresh_run_has_an_empty_directory(store):
    (store.fresh_run("seeded", 0) / "old").mkdir()
    assert list(store.fresh_run("seeded", 0).iterdir()) == []


@needs_locks
def test_a_run_is_cleared_only_once_its_old_guard_has_ended(store, held):
    directory = store.fresh_run("seeded", 0)
    (directory / "old").touch()
    guard = held(directory)
    clearing = threading.Thread(target=store.clear_run, args=("seeded", 0))
    clearing.start()
    clearing.join(0.3)
    assert (directory / "old").exists()
    guard.communicate()
    wait_for(lambda: not directory.exists())
    clearing.join()


# -- files -------------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"a": float("nan")})
    (tmp_path / "result.json.new").mkdir()
    with pytest.raises(OSError, match=r"result\.json\.new"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}


def test_there_is_room_on_this_disk(store):
    assert not store.is_full()


def test_the_layout_is_one_directory_per_arm_and_run(store, tmp_path):
    assert store.root.parent == tmp_path / CHECKS
    assert store.run("seeded", 2) == store.root / "seeded" / "2"
