"""Stands between the parent and one run, so that neither outlives the other.

A program of its own, on the standard library alone: it reads one line of JSON (the launch) from
its standard input, starts the process in a session of its own, and waits. The same pipe is the
lifeline: a further line, or its end when the parent dies however hard, ends the run and
everything that the run has started. What came out is written to `exit.json` at once, so that it
is known even if the parent is gone.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 2.0
PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    order = json.loads(sys.stdin.readline())
    _adopt_orphans()
    if order["affinity"] is not None:
        os.sched_setaffinity(0, order["affinity"])
    began = time.time()
    try:
        process = _start(order)
    except OSError as error:
        outcome = {"returncode": None, "seconds": 0.0, "cpu_seconds": 0.0, "trouble": str(error)}
    else:
        outcome = _watch(process, began)
    _write(os.path.join(order["run"], "exit.json"), outcome)


def _adopt_orphans() -> None:
    """On Linux, what a run leaves behind becomes our child, and can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start(order: dict) -> subprocess.Popen:  # type: ignore[type-arg]
    run = order["run"]
    with (
        open(os.path.join(run, "stdout.log"), "wb") as out,
        open(os.path.join(run, "stderr.log"), "wb") as err,
    ):
        return subprocess.Popen(
            order["command"],
            env=order["environment"],
            cwd=order["directory"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )


def _watch(process: subprocess.Popen, began: float) -> dict:  # type: ignore[type-arg]
    ended = threading.Event()
    stopped: list[str] = []
    threading.Thread(
        target=_stop_when_told, args=(process.pid, ended, stopped), daemon=True
    ).start()
    cpu_before = _children_cpu()
    process.wait()
    seconds = time.time() - began
    ended.set()
    cpu_seconds = _children_cpu() - cpu_before
    _end_all(process.pid)
    return {
        "returncode": process.returncode,
        "began": began,
        "ended": began + seconds,
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
    _signal(pid, signal.SIGTERM)
    if not ended.wait(GRACE_SECONDS):
        _end_all(pid)


def _end_all(pid: int) -> None:
    """Ends the run's session, and what left that session too."""
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)
    _signal(pid, kill)
    for orphan in _own_children():
        if orphan != pid:
            _signal(orphan, kill)


def _signal(pid: int, number: int) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _own_children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


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
