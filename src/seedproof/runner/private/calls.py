"""The system calls that give a process a mount namespace of its own (Linux).

All raise OSError, which names what was tried.
"""

import ctypes
import os

_CLONE_NEWNS = 0x20000
_CLONE_NEWUSER = 0x10000000
_MS_BIND = 1 << 12
_MS_REC = 1 << 14
_MS_SLAVE = 1 << 19


def own_mounts(user: bool) -> None:
    """From now on this process has mounts of its own, which nobody else sees.

    With `user` it gets them in a user namespace of its own, as the same user and group. For that
    it needs no right, and a program that an ordinary user starts from here has none of those that
    this process then has. What is mounted outside later still arrives, as automounted homes do.
    """
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWNS | (_CLONE_NEWUSER if user else 0))
    if user:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    _mount(None, "/", None, _MS_SLAVE | _MS_REC, None)


def mount_overlay(directory: str, options: str, flags: int) -> None:
    """Mounts an overlay of the layers that `options` name over `directory`."""
    _mount("overlay", directory, "overlay", flags, options)


def bind(descriptor: int, target: str) -> None:
    """Shows what an open descriptor stands for, with all that is mounted below it, at `target`."""
    _mount(f"/proc/self/fd/{descriptor}", target, None, _MS_BIND | _MS_REC, None)


def is_ordinary() -> bool:
    """Whether this process may do no more than what any user may."""
    with open("/proc/self/status") as status:
        rights = any(line.startswith("CapEff:") and int(line[7:], 16) for line in status)
    return os.geteuid() != 0 and not rights


def mounted_below(directory: str) -> list[str]:
    """What is mounted below `directory`, without what is mounted below that again."""
    top = os.path.join(directory, "")
    found = [place for place in _mount_points() if place.startswith(top) and place != directory]
    tops = tuple(os.path.join(place, "") for place in found)
    return sorted(place for place in found if not place.startswith(tops))


def _mount_points() -> set[str]:
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return {_unescaped(line.split()[4]) for line in file}
    except OSError:
        return set()  # no Linux


def _unescaped(field: bytes) -> str:
    r"""Blanks and backslashes stand as `\040` and the like."""
    first, *parts = field.split(b"\\")
    return os.fsdecode(first + b"".join(bytes([int(p[:3], 8)]) + p[3:] for p in parts))


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None
) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    data = None if options is None else os.fsencode(options)
    _call("mount", *words, ctypes.c_ulong(flags), data)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc(), name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = " ".join(os.fsdecode(word) for word in arguments if isinstance(word, bytes))
        raise OSError(number, os.strerror(number), f"{name} {shown}".strip())


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
