"""Carries out one launch, told as JSON on standard input, and prints how it ended. A program, so
that tests can do it as another user, and can kill it."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path

from seedproof.launch import Launch
from seedproof.runner.local import LocalRun
from seedproof.runner.ways import ViewPlan


def main() -> None:
    told = json.load(sys.stdin)
    run = Path(told["run"])
    run.mkdir(parents=True)
    plan = told["plan"] and ViewPlan(**told["plan"])
    variables = {**os.environ, "_SEEDPROOF_RUN": str(run)}
    launch = Launch(
        tuple(told["command"]), told["directory"], variables, collect=tuple(told["collect"])
    )
    running = LocalRun(launch, run, plan)
    while (end := running.finished()) is None:
        time.sleep(0.01)
    json.dump(dataclasses.asdict(end), sys.stdout)


if __name__ == "__main__":
    main()
