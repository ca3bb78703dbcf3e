"""Private views for tests: a project of a user's, and programs that run in views of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from users import User, hindrance, user_for, variables

from processes import children_of, is_alive, wait_for
from seedproof.runner.base import DELETED_FILE, FILES_DIRECTORY, STDERR_FILE, STDOUT_FILE
from seedproof.runner.ways import ViewPlan

OPTIONS = {
    "mount": "redirect_dir=on,index=on,metacopy=off,xino=auto,volatile",
    "user": "userxattr,index=on,metacopy=off,xino=auto,volatile",
}
_DRIVER = Path(__file__).with_name("drive_run.py")
_DRIVE = f"import runpy; runpy.run_path({str(_DRIVER)!r}, run_name='__main__')"
WAYS = [
    ("overlay", "mount"),
    ("copy", "mount"),
    ("overlay", "user"),
    ("copy", "user"),
    ("copy", None),
]
SAME_PATH = [way for way in WAYS if way[1]]


@dataclass
class Ended:
    """A program that ran in a view."""

    run: Path
    exit: dict[str, Any]

    @property
    def out(self) -> str:
        return (self.run / STDOUT_FILE).read_text()

    @property
    def err(self) -> str:
        return (self.run / STDERR_FILE).read_text()

    @property
    def files(self) -> dict[str, str]:
        """What it wrote, by relative names."""
        assert self.exit["unkept"] is None
        top = self.run / FILES_DIRECTORY
        plain = [path for path in top.rglob("*") if path.is_file()]
        return {str(path.relative_to(top)): path.read_text("latin-1") for path in plain}

    @property
    def gone(self) -> list[str]:
        return json.loads((self.run / DELETED_FILE).read_text())


@dataclass
class Started:
    """A program that runs in a view, and the process that started it."""

    run: Path
    driver: subprocess.Popen[str]

    def end(self) -> Ended:
        out, err = self.driver.communicate(timeout=60)
        assert self.driver.returncode == 0, err
        return Ended(self.run, json.loads(out))


@dataclass
class Site:
    """A directory of a user's with files in it, and a way to view it."""

    root: Path
    way: str
    namespace: str | None
    user: User
    name: str = "project"
    started: list[Started] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path in (self.directory, self.place, self.runs):
            path.mkdir(parents=True)
        self.write("read.txt", "old\n")
        self._give(self.root)

    @property
    def directory(self) -> Path:
        return self.root / self.name

    @property
    def runs(self) -> Path:
        return self.directory / ".seedproof"

    @property
    def place(self) -> Path:
        """Where views lie while they are used."""
        return self.root / "place"

    @property
    def plan(self) -> ViewPlan:
        """The way of this site."""
        options = OPTIONS[self.namespace] if self.way == "overlay" else ""
        return ViewPlan(
            *(str(self.directory), self.way, self.namespace, str(self.place), options),
            hidden=str(self.runs),
        )

    def write(self, name: str, text: str = "") -> Path:
        """A file of the user's."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self._give(path)
        return path

    def _give(self, path: Path) -> None:
        if self.user.number is not None:
            for each in (path, *path.rglob("*"), *path.relative_to(self.root).parents):
                os.chown(self.root / each, self.user.number, self.user.number)

    def start(self, program: str, *arguments: str, before: str = "", **changes: Any) -> Started:
        """Starts a Python program in a view; `changes` are other fields of its plan, `before` is
        what the process does first that starts it."""
        number = len(self.started)
        run = self.runs / "checks" / "one" / "arm" / str(number)
        told = {
            "command": [self.user.python(), "-c", program, *arguments],
            "directory": str(self.directory),
            "plan": {**asdict(self.plan), **changes},
            "run": str(run),
            "collect": [],
        }
        driver = subprocess.Popen(
            [self.user.python(), "-c", f"{before}\n{_DRIVE}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=variables(),
            cwd="/",
            **self.user.popen(),
        )
        assert driver.stdin is not None
        driver.stdin.write(json.dumps(told))
        driver.stdin.close()
        driver.stdin = None
        self.started.append(Started(run, driver))
        return self.started[-1]

    def __call__(self, program: str, *arguments: str, **changes: Any) -> Ended:
        """Runs a Python program in a view, to its end."""
        return self.start(program, *arguments, **changes).end()

    def python(self, program: str, *arguments: str) -> str:
        """What a program prints that runs outside of views, as the same user."""
        done = subprocess.run(
            [self.user.python(), "-c", program, *arguments],
            env=variables(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            **self.user.popen(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def facts(self) -> dict[str, Any]:
        """All that can be told of the user's files."""
        paths = [p for p in self.directory.rglob("*") if not p.is_relative_to(self.runs)]
        return {str(path): (*_fact(path), path.is_file() and path.read_bytes()) for path in paths}

    def left(self) -> list[str]:
        """What views have left behind."""
        return sorted(path.name for path in self.place.iterdir())

    def close(self) -> None:
        guards = [guard for each in self.started for guard in children_of(each.driver.pid)]
        for each in self.started:
            with each.driver as driver:
                driver.kill()
        wait_for(lambda: not any(map(is_alive, guards)))  # they write down how the runs ended
        wait_for(lambda: shutil.rmtree(self.root, ignore_errors=True) or not self.root.exists())

    def require(self) -> Site:
        """Skips the test where this machine does not allow such views."""
        reason = hindrance(self.way, self.namespace, self.user)
        if reason:
            pytest.skip(reason)
        return self


@contextmanager
def opened(way: str, namespace: str | None, name: str = "project") -> Iterator[Site]:
    """A site that is cleared away in the end; skips the test where there can be none."""
    if sys.platform != "linux" and namespace is not None:
        pytest.skip("no mount namespaces")
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    site = Site(top / "site", way, namespace, user_for(namespace), name).require()
    try:
        yield site
    finally:
        site.close()
        top.rmdir()


def for_each(ways: list[tuple[str, str | None]]) -> Any:
    """A fixture: a site for each way."""

    def site(request: pytest.FixtureRequest) -> Iterator[Site]:
        with opened(*request.param) as made:
            yield made

    return pytest.fixture(params=ways, ids=lambda way: f"{way[0]}-{way[1]}")(site)


def _fact(path: Path) -> tuple[int, ...]:
    found = path.lstat()
    return (found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns, found.st_ino)
