"""Who runs programs in tests, and which private views this machine allows him."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import seedproof

SOURCES = Path(seedproof.__file__).parents[1]
NOBODY = 65534
_MOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(function, *arguments):
    if function(*arguments): sys.exit(f'not allowed here: {os.strerror(ctypes.get_errno())}')
user, uid, gid = sys.argv[2] == 'user', os.getuid(), os.getgid()
told = {'setgroups': 'deny', 'uid_map': f'{uid} {uid} 1', 'gid_map': f'{gid} {gid} 1'}
call(libc.unshare, 0x20000 | (0x10000000 if user else 0))
for name, text in told.items() if user else ():
    with open('/proc/self/' + name, 'w') as file: file.write(text)
layers = b'lowerdir=lower,upperdir=upper,workdir=work' + (b',userxattr' if user else b'')
if sys.argv[1] == 'overlay': call(libc.mount, b'overlay', b'lower', b'overlay', 0, layers)
else: call(libc.mount, b'upper', b'lower', None, 1 << 12, None)
"""


@dataclass(frozen=True)
class User:
    """Who runs the programs; None is who runs the tests."""

    number: int | None

    def popen(self) -> dict[str, Any]:
        """As `subprocess` wants it."""
        if self.number is None:
            return {}
        return {"user": self.number, "group": self.number, "extra_groups": []}

    def python(self) -> str:
        """An interpreter that this user can start, and that can load this package."""
        for found in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
            if _can_load(found, self):
                return found
        pytest.skip("no interpreter that an ordinary user could start")


@cache
def _can_load(python: str, user: User) -> bool:
    program = "import sys, seedproof.runner.local; assert sys.version_info >= (3, 11)"
    try:
        done = subprocess.run(
            [python, "-c", program], env=variables(), cwd="/", capture_output=True, **user.popen()
        )
    except OSError:
        return False
    return done.returncode == 0


def variables() -> dict[str, str]:
    """An environment for programs of any user."""
    return {"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def is_root() -> bool:
    """Whether who runs the tests may do everything."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def user_for(namespace: str | None) -> User:
    """A user namespace is for who may not mount by himself."""
    if namespace == "mount" and not is_root():
        pytest.skip("only root may mount")
    return User(NOBODY if namespace == "user" and is_root() else None)


@cache
def hindrance(way: str, namespace: str | None, user: User) -> str:
    """What this machine has against such views, found out by other means than those under test."""
    if namespace is None:
        return ""
    with tempfile.TemporaryDirectory() as top:
        for name in ("", "lower", "upper", "work"):
            path = Path(top, name)
            path.mkdir(exist_ok=True)
            os.chown(path, *([-1, -1] if user.number is None else [user.number] * 2))
        done = subprocess.run(
            [user.python(), "-c", _MOUNT, way, namespace],
            cwd=top,
            capture_output=True,
            text=True,
            **user.popen(),
        )
    return done.stderr.strip().rpartition("\n")[2]
