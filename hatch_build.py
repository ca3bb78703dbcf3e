"""Compiles the digest's arithmetic, where a C compiler is at hand; without, NumPy computes it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = Path("src/seedproof/trace")
LIBRARY = "ml64.dll" if sys.platform == "win32" else "ml64.so"
OPTIONS = ("-std=c99", "-O2", "-funroll-loops", "-fPIC", "-shared")


class CompiledDigest(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Python's interface is not used, so one library serves all its versions."""
        if self.target_name != "wheel":
            return
        place = Path(self.root) / PLACE
        if not compile_library(place / "ml64.c", place / LIBRARY):
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform()}"
        build_data["artifacts"].append(f"/{PLACE}/{LIBRARY}")


def compile_library(source: Path, library: Path) -> bool:
    """Whether `library` now is what `source` says; it never is half of it."""
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    made = library.with_suffix(".new")
    command = [*shlex.split(compiler or ""), *OPTIONS, "-o", str(made), str(source)]
    try:
        library.unlink(missing_ok=True)
        if compiler is None or subprocess.run(command, check=False).returncode:
            return False
        made.replace(library)
    except OSError:
        return False
    return True


def platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
