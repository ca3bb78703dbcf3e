"""Stands between the parent and one run, so that neither outlives the other.

A program of its own, on the standard library alone: it reads one line of JSON (the launch) from
its standard input, starts the process in a session of its own, and waits. The same pipe is the
lifeline: a further line, or its end when the parent dies however hard, ends the run and
everything that the run has started. If the guard itself is killed, Linux ends the run's first
process with it, and the parent the rest (`end_marked`). What came out is written to `exit.json`
at once, so that it is known even if the parent is gone. Where the run gets a private view of its
directory, or what it writes is to be kept, the guard makes the room for it and clears it away.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedproof.runner.private.in_place import InPlace
    from seedproof.runner.private.views import View

    Room = View | InPlace

GRACE_SECONDS = 2.0
_KILL_SECONDS = 10.0  # a process that the kernel holds longer than that is left behind
_LOOK_SECONDS = 0.005
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    order = json.loads(sys.stdin.readline())
    _hold(order["run"])
    _adopt_orphans()
    room = None
    try:
        room = _room(order)
        began, began_at = time.time(), time.monotonic()
        process = _start(order, room)
    except OSError as error:
        outcome = {"returncode": None, "seconds": 0.0, "cpu_seconds": 0.0, "trouble": str(error)}
    else:
        outcome = {"began": began, **_watch(process, began_at), "unkept": _keep(room)}
    try:
        _write(os.path.join(order["run"], "exit.json"), outcome)
    finally:
        if room is not None:
            room.remove()


def _room(order: dict) -> Room | None:  # type: ignore[type-arg]
    """Where the run works, if not just in its directory; loaded only then, to start quickly."""
    if order.get("view") is None and not order.get("collect"):
        return None
    sys.path.append(os.path.abspath(__file__).rsplit(os.sep, 3)[0])
    if order.get("view") is None:
        from seedproof.runner.private.in_place import InPlace

        return InPlace(order)
    from seedproof.runner.private.views import view

    return view(order)


def _keep(room: Room | None) -> str | None:
    """Keeps what the run wrote; returns what hindered it."""
    try:
        if room is not None:
            room.keep()
    except OSError as error:
        return str(error)
    return None


def _hold(run: str) -> None:
    """Keeps the run's directory until this guard has ended; nobody else may use it before."""
    try:
        import fcntl

        descriptor = os.open(os.path.join(run, "in-use"), os.O_RDWR | os.O_CREAT)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        pass  # no such locks here


def _adopt_orphans() -> None:
    """On Linux, what a run leaves behind becomes our child, and can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start(order: dict, room: Room | None) -> subprocess.Popen:  # type: ignore[type-arg]
    run = order["run"]
    if order["affinity"] is not None:
        os.sched_setaffinity(0, order["affinity"])
    stdin = order.get("stdin")
    reading, writing = os.pipe()
    with (
        open(os.path.join(run, "stdout.log"), "wb") as out,
        open(os.path.join(run, "stderr.log"), "wb") as err,
        open(writing, "wb", buffering=0) as tell,
        open(reading, "rb", buffering=0) as told,
    ):
        try:
            return subprocess.Popen(
                order["command"],
                env=order["environment"],
                cwd=order["directory"],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_first(room, tell.write),
            )
        except subprocess.SubprocessError:
            tell.close()
            raise OSError(told.read().decode("utf-8", "replace")) from None
        finally:
            if stdin is not None:
                os.close(stdin)


def _first(room: Room | None, tell: Callable[[bytes], object]) -> Callable[[], None] | None:
    """What the new process does first, on Linux: it enters its room, and asks to be killed when
    this guard is."""
    if sys.platform != "linux":
        return None
    prctl, guard = ctypes.CDLL(None).prctl, os.getpid()

    def first() -> None:
        try:
            if room is not None:
                room.enter()
        except Exception as error:
            tell(f"no private view: {error}".encode("utf-8", "backslashreplace"))
            raise
        prctl(_PR_SET_PDEATHSIG, int(_KILL), 0, 0, 0)
        if os.getppid() != guard:
            os._exit(1)  # it was killed before it could be asked

    return first


def _watch(process: subprocess.Popen, began_at: float) -> dict:  # type: ignore[type-arg]
    ended = threading.Event()
    stopped: list[str] = []
    threading.Thread(
        target=_stop_when_told, args=(process.pid, ended, stopped), daemon=True
    ).start()
    cpu_before = _children_cpu()
    _wait_unreaped(process)
    ended_at, seconds = time.time(), time.monotonic() - began_at
    ended.set()
    _signal_group(process.pid, _KILL)
    process.wait()
    cpu_seconds = _children_cpu() - cpu_before
    _end_children()
    return {
        "returncode": process.returncode,
        "ended": ended_at,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "stopped": stopped[0] if stopped else None,
    }


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _stop_when_told(pid: int, ended: threading.Event, stopped: list[str]) -> None:
    reason = sys.stdin.readline().strip() or "parent lost"
    if ended.is_set():
        return
    stopped.append(reason)
    _signal_group(pid, signal.SIGTERM)
    if not ended.wait(GRACE_SECONDS):
        _signal_group(pid, _KILL)


def _wait_unreaped(process: subprocess.Popen) -> None:  # type: ignore[type-arg]
    """Until the process has ended; where the system can, its number stays taken, so that no other
    can be hit by it."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def _signal_group(pid: int, number: int) -> None:
    """To the run's own process group: the first process, and whatever did not leave it."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _end_children() -> None:
    """Ends what left the group, and then what that leaves to us in turn."""
    me = os.getpid()
    _kill_until_gone(lambda: [pid for pid in _processes() if _parent_of(pid) == me])


def end_marked(variable: str, value: str) -> None:
    """Ends every process that has this variable in its environment, as all of a run's have."""
    mark = os.fsencode(f"{variable}={value}")
    _kill_until_gone(lambda: [pid for pid in _processes() if mark in _environment_of(pid)])


def _kill_until_gone(find: Callable[[], list[int]]) -> None:
    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        found = find()
        if not found:
            return
        for pid in found:
            _kill_and_reap(pid)
        time.sleep(_LOOK_SECONDS)


def _kill_and_reap(pid: int) -> None:
    try:
        os.kill(pid, _KILL)
        os.waitpid(pid, os.WNOHANG)
    except (ProcessLookupError, PermissionError, ChildProcessError):
        pass


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _parent_of(pid: int) -> int:
    after_the_name = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(after_the_name[1]) if after_the_name else 0


def _environment_of(pid: int) -> list[bytes]:
    return _read(f"/proc/{pid}/environ").split(b"\0")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _write(path: str, outcome: dict) -> None:  # type: ignore[type-arg]
    text = json.dumps(outcome)
    try:
        with open(path + ".new", "w") as file:
            file.write(text)
        os.replace(path + ".new", path)
    finally:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
