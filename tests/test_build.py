"""A wheel holds the compiled digest where a C compiler is at hand, and is whole without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[1]
FILES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore")
LIBRARY = "seedproof/trace/ml64.so"

needs_compiler = pytest.mark.skipif(
    os.name == "nt" or not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="no C compiler of the usual names",
)


@pytest.fixture
def build(tmp_path):
    """Builds a wheel of a copy of the project; its name and the names in it."""
    project = tmp_path / "project"
    shutil.copytree(
        ROOT / "src", project / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    for name in FILES:
        shutil.copy(ROOT / name, project / name)

    def built(**variables: str) -> tuple[str, list[str]]:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
            cwd=project,
            env={**os.environ, **variables},
            check=True,
            capture_output=True,
            timeout=120,
        )
        (wheel,) = tmp_path.glob("*.whl")
        return wheel.name, zipfile.ZipFile(wheel).namelist()

    return built


@needs_compiler
def test_a_wheel_with_compiled_code_is_for_one_platform_and_every_python(build):
    name, files = build()
    assert LIBRARY in files
    assert "-py3-none-" in name
    assert not name.endswith("-any.whl")


@pytest.mark.parametrize("compiler", ["/bin/false", "no-such-compiler"])
def test_where_nothing_compiles_the_wheel_is_for_every_platform(compiler, build):
    name, files = build(CC=compiler)
    assert LIBRARY not in files
    assert {"seedproof/trace/sums.py", "seedproof/trace/ml64.c"} <= {*files}
    assert name.endswith("-py3-none-any.whl")
