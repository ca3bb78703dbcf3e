"""Whether a process would find an accelerator on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# By the variable that can hide them, the devices.
_DEVICES = {"CUDA_VISIBLE_DEVICES": "/dev/nvidia[0-9]*", "HIP_VISIBLE_DEVICES": "/dev/kfd"}
_NONE = ("", "-1")


def accelerator_visible(
    environment: Mapping[str, str], devices: Mapping[str, str] = _DEVICES
) -> bool:
    """Whether there is a device that this environment does not hide."""
    return any(
        environment.get(variable) not in _NONE and _exists(Path(pattern))
        for variable, pattern in devices.items()
    )


def _exists(pattern: Path) -> bool:
    return any(pattern.parent.glob(pattern.name))
