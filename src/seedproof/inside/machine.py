"""What this process found when it started: the interpreter, the processors, the variables."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

# Variables that change results or explain them; a variable's value is never recorded otherwise.
_TELLING_PREFIXES = (
    "PYTHONHASHSEED",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "TF_",
    "XLA_",
    "JAX_",
    "CUBLAS_",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_",
    "DNNL_",
    "ATEN_",
    "NPY_",
    "KERAS_BACKEND",
    "NPROC",
)


def describe() -> dict[str, Any]:
    """The facts of the `hello` record; plain JSON values."""
    return {
        "pid": os.getpid(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "directory": os.getcwd(),
        "cores": visible_cores(),
        "hash_seed": hash_seed(),
        "variables": telling_variables(),
    }


def visible_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def hash_seed() -> str:
    """The seed of string hashes in this interpreter: a number, or `random`.

    The variable counts as it was when the process started; set later, it changes nothing here.
    """
    if not sys.flags.hash_randomization:
        return "0"
    found = _variable_at_start("PYTHONHASHSEED")
    return found if found.isdigit() and int(found) else "random"


def _variable_at_start(name: str) -> str:
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return os.environ.get(name, "")
    prefix = os.fsencode(name + "=")
    return next((os.fsdecode(e[len(prefix) :]) for e in entries if e.startswith(prefix)), "")


def telling_variables() -> dict[str, str]:
    """The environment variables that can change a result."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_TELLING_PREFIXES)
    }
