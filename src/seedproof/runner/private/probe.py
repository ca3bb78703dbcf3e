"""Tries private views in a process of its own, and tells which can be had.

A program: it reads orders as the guard gets them, without commands, and writes JSON: `works`, the
number of the first that does (null where none does), `errors`, what hindered those before it, and
`shares_blocks`, whether copies of the directory asked for take no room.
"""

import json
import os
import stat
import sys
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    sys.path.append(os.path.abspath(__file__).rsplit(os.sep, 4)[0])

from seedproof.runner.private import calls, trees
from seedproof.runner.private.scratch import PREFIX, Scratch, new_name
from seedproof.runner.private.views import Overlay, View, view


def main() -> None:
    question = json.load(sys.stdin)
    errors: list[str] = []
    for order in question["orders"]:
        error = _try(order)
        if not error:
            break
        errors.append(error)
    works = len(errors) if len(errors) < len(question["orders"]) else None
    copying = None if works is not None else question["copying"]
    shares_blocks = copying is not None and _shares_blocks(*copying)
    json.dump({"works": works, "errors": errors, "shares_blocks": shares_blocks}, sys.stdout)


def _try(order: dict[str, Any]) -> str:
    """What hinders a view, empty where nothing does."""
    namespace = order["view"]["namespace"]
    try:
        if namespace == "user" and not calls.is_ordinary():
            return "a user namespace would take rights from this process"
        tried = view(order, filled=False)
        try:
            return _in_a_child(lambda: _look(tried, order)) if namespace else ""
        finally:
            tried.remove()
    except OSError as error:
        return str(error)


def _in_a_child(work: Callable[[], None]) -> str:
    """Does `work` in a process that then ends; returns what went wrong there."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            work()
        except Exception as error:
            os.write(writing, str(error).encode("utf-8", "backslashreplace"))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        told = pipe.read().decode("utf-8", "replace")
    os.wait()
    return told


def _look(tried: View, order: dict[str, Any]) -> None:
    """Enters the view, looks for the directory of the runs, and writes; raises OSError."""
    outside, layer = os.stat(order["run"]), os.open(tried.layer, os.O_PATH)
    tried.enter()
    if not os.path.samestat(outside, os.stat(order["run"])):
        raise OSError("the directory of the runs cannot be reached from inside")
    if isinstance(tried, Overlay):
        prefix = "user" if order["view"]["namespace"] == "user" else "trusted"
        _holds_marks(prefix, *tried.scratch.make("marks"))
    if os.access(".", os.W_OK):
        own = PREFIX + order["view"]["name"]
        os.close(os.open(own, os.O_CREAT | os.O_EXCL))
        try:
            os.stat(own, dir_fd=layer)
        finally:
            os.unlink(own)


def _holds_marks(prefix: str, place: str) -> None:
    """Whether the file system can say what was deleted, and what hides the layer below."""
    os.mknod(os.path.join(place, "deleted"), stat.S_IFCHR)
    os.setxattr(place, f"{prefix}.overlay.opaque", b"y")


def _shares_blocks(directory: str, place: str) -> bool:
    """Whether copying a file of the directory takes no room; False where it has none."""
    try:
        scratch = Scratch(place, new_name())
    except OSError:
        return False
    try:
        return any(_shared_copy(entry, scratch.path) for entry in _some_file(directory))
    except OSError:
        return False
    finally:
        scratch.remove()


def _some_file(directory: str) -> list["os.DirEntry[str]"]:
    files = [e for e in trees.entries_of(directory) if e.is_file(follow_symlinks=False)]
    return [e for e in files if e.stat().st_size and os.access(e.path, os.R_OK)][:1]


def _shared_copy(entry: "os.DirEntry[str]", scratch: str) -> bool:
    return trees.copy_file(entry.path, os.path.join(scratch, "copied"), entry.stat())


if __name__ == "__main__":
    main()
