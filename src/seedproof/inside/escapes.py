"""Notices what is written outside of the private view, where that is cheap.

What is written there stays, and the next run finds it. Writes made through Python raise audit
events; those of libraries in other languages are not seen.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Iterable, Iterator

MOST_TOLD = 5
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# By event: which of its arguments are paths that change, and which say what these start from.
_CHANGING = {
    "os.link": ((1,), 3),
    "os.mkdir": ((0,), 2),
    "os.remove": ((0,), 1),
    "os.rename": ((0, 1), 2),
    "os.rmdir": ((0,), 1),
    "os.symlink": ((1,), 2),
    "os.truncate": ((0,), None),
    "sqlite3.connect": ((0,), None),
}
_MAKING = ("os.link", "os.mkdir", "os.symlink")
# What is there is no data of the user's: devices, caches, what libraries note about themselves.
_NO_DATA = (
    *("/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp"),  # noqa: S108
    *("~/.cache", "~/.config", "~/.local", "~/.keras", "~/.nv", "~/.triton"),
)
_NO_DATA_VARIABLES = (
    *("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
    *("HF_HOME", "HF_HUB_CACHE", "TRANSFORMERS_CACHE", "TORCH_HOME", "KERAS_HOME", "MPLCONFIGDIR"),
    *("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUDA_CACHE_PATH", "NUMBA_CACHE_DIR"),
    *("JAX_COMPILATION_CACHE_DIR", "WANDB_DIR", "WANDB_CACHE_DIR"),
)


def watch(
    view_root: str,
    private_roots: Iterable[str],
    tell: Callable[[str], object],
    shared: Iterable[str] = (),
) -> None:
    """From now on calls `tell` with each directory outside of the view in which something is
    written: once, not again for what is below it, and at most MOST_TOLD times.

    Nothing counts under `view_root`, except under the paths in `shared`, nor under
    `private_roots`, temporary directories and caches. There is no way to end this.
    """
    private = tuple(private_roots)
    quiet = [view_root, *private, *(path for path in _no_data() if not path.startswith(private))]
    watcher = _Watcher(map(os.path.realpath, quiet), map(os.path.realpath, shared), tell)

    def look(event: str, arguments: Any) -> None:
        if event == "open":
            watcher.opened(arguments[0])
        else:
            watcher.changed(event, arguments)

    def hook(event: str, arguments: Any) -> None:
        try:
            if event == "open":
                if not arguments[2] & _WRITING:
                    return
            elif event not in _CHANGING:
                return
            dynamo = sys.modules.get("torch._dynamo")
            (dynamo.disable(look) if dynamo is not None else look)(event, arguments)
        except Exception:  # noqa: S110
            pass  # what is watched must not fail

    # PyTorch's compiler would try to compile this for every event in a compiled model, and can
    # fail on it; of the frames in the interpreter's own import it takes no notice.
    hook.__code__ = hook.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    sys.addaudithook(hook)


def _no_data() -> Iterator[str]:
    yield from map(os.path.expanduser, _NO_DATA)
    yield from filter(None, map(os.environ.get, _NO_DATA_VARIABLES))


class _Watcher:
    def __init__(
        self, quiet: Iterable[str], shared: Iterable[str], tell: Callable[[str], object]
    ) -> None:
        self._quiet = _Roots(quiet)
        self._shared = _Roots(shared)
        self._told = _Roots(())
        self._tell = tell

    def opened(self, path: Any) -> None:
        """A file is about to be opened for writing; of a temporary one its directory is told."""
        if not isinstance(path, int):
            real = os.path.realpath(os.fsdecode(path))
            self._note(real if os.path.isdir(real) else os.path.dirname(real))

    def changed(self, event: str, arguments: Any) -> None:
        """Paths are about to be made, removed or renamed."""
        places, start = _CHANGING[event]
        for at in places:
            path = os.fsdecode(arguments[at])
            from_cwd = start is None or arguments[start] in (None, -1) or os.path.isabs(path)
            if from_cwd and not path.startswith((":", "file:")):
                self._change(event, path)

    def _change(self, event: str, path: str) -> None:
        directory = os.path.realpath(os.path.dirname(path))
        exists = os.path.lexists(path)
        if event == "os.mkdir":
            directory = os.path.join(directory, os.path.basename(path))
        if not (exists and event in _MAKING):  # that fails, as with `exist_ok`
            self._note(directory)

    def _note(self, directory: str) -> None:
        if len(self._told) >= MOST_TOLD or self._is_quiet(directory):
            return
        if not self._told.hold(directory):
            self._told.add(directory)
            self._tell(directory)

    def _is_quiet(self, directory: str) -> bool:
        if directory.endswith("__pycache__"):
            return True
        return self._quiet.hold(directory) and not self._shared.hold(directory)


class _Roots:
    """Directories, and whether a path is in one of them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._tops: list[str] = []
        for path in paths:
            self.add(path)

    def __len__(self) -> int:
        return len(self._tops)

    def add(self, path: str) -> None:
        self._tops.append(os.path.join(path, ""))

    def hold(self, path: str) -> bool:
        return os.path.join(path, "").startswith(tuple(self._tops))
