"""What this process found when it started: the interpreter, the processors, the variables."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Mapping

# Variables that change results or explain them; a variable's value is never recorded otherwise.
_TELLING_PREFIXES = (
    "PYTHONHASHSEED",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    # Not all of TF_: Terraform keeps secrets under TF_VAR_.
    "TF_CUDNN_",
    "TF_DETERMINISTIC_",
    "TF_DISABLE_",
    "TF_ENABLE_",
    "TF_FORCE_",
    "TF_GPU_",
    "TF_NUM_",
    "TF_USE_",
    "TF_XLA_",
    "XLA_",
    "JAX_",
    "CUBLAS_",
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_",
    "DNNL_",
    "ATEN_",
    "NPY_",
    "KERAS_BACKEND",
    "NPROC",
    "LC_",
)

_TELLING_NAMES = ("TZ", "LANG", "LANGUAGE")

# Terraform, whose variables begin as TensorFlow's do, keeps secrets in them.
_SECRET = ("TF_VAR_", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "_KEY")


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

    The variable counts as it was when the process started; set later, it changes nothing here, and
    under `python -I` or `-E` it never counts.
    """
    if not sys.flags.hash_randomization:
        return "0"
    found = "" if sys.flags.ignore_environment else variable_at_start("PYTHONHASHSEED")
    return str(int(found)) if found.isdigit() and int(found) else "random"


def variable_at_start(name: str) -> str:
    """The variable as this process was given it, empty without; later changes do not count."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return os.environ.get(name, "")
    prefix = os.fsencode(name + "=")
    return next((os.fsdecode(e[len(prefix) :]) for e in entries if e.startswith(prefix)), "")


def telling_variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables that can change a result; never one that holds a secret."""
    return {name: value for name, value in sorted(environment.items()) if _is_telling(name)}


def _is_telling(name: str) -> bool:
    tells = name in _TELLING_NAMES or name.startswith(_TELLING_PREFIXES)
    return tells and not any(word in name for word in _SECRET)
