"""Experiment trackers: the runs of a check are no experiments, and must not be uploaded as such."""

from __future__ import annotations

from typing import Mapping

# By tracker: the variable, the value that keeps it on this machine, and others that do.
OFFLINE = {
    "wandb": ("WANDB_MODE", "offline", ("disabled", "dryrun")),
    "neptune": ("NEPTUNE_MODE", "offline", ("debug", "read-only")),
    "swanlab": ("SWANLAB_MODE", "offline", ("local", "disabled")),
    "comet_ml": ("COMET_START_ONLINE", "0", ("false", "False")),
    "clearml": ("CLEARMLOFFLINE_MODE", "1", ("true", "True")),
}


def offline(found: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep every tracker offline; what keeps it so already stays."""
    return {
        variable: value
        for variable, value, also_good in OFFLINE.values()
        if found.get(variable) not in (value, *also_good)
    }


def put_offline(imported: str, found: Mapping[str, str]) -> str:
    """What to say of a tracker that was imported in the environment `found`; empty where it is
    not kept offline."""
    variable, value, _ = OFFLINE[imported]
    if found.get(variable) != value:
        return ""
    return f"{imported} was kept offline ({variable}={value}): a check is no experiment"
