"""The article's loop against `seedproof demo`: the same folds, runs and arms, once each.

The article's way is a loop of plain scripts, one process after another, with the threads that the
framework takes by itself. The demo does the same number of runs with recording on, side by side
as the cores allow; the pairs that it times alone are left out.

    python benchmarks/article.py [--folds 5] [--epochs 10] [--runs 3] [--repeats 1]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from seedproof.experiments import demo

EXPERIMENT = [sys.executable, "-m", "seedproof.experiments.mnist_cv"]
ARMS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option, default in (("folds", 5), ("epochs", 10), ("runs", 3), ("repeats", 1)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--dataset", default="digits")
    asked = parser.parse_args()
    size = ["--dataset", asked.dataset, "--folds", str(asked.folds), "--epochs", str(asked.epochs)]
    runs = len(demo.arms(EXPERIMENT, asked.runs, 0, 0, 1)[0].runs)
    for _ in range(asked.repeats):
        article = timed(lambda: article_loop(size, runs))
        ours = timed(lambda: our_demo(size, asked.runs))
        print(
            f"{ARMS} arms of {runs} runs of {asked.folds} folds on {os.cpu_count()} cores: "
            f"the article's loop {article:.1f} s, seedproof demo {ours:.1f} s, "
            f"ratio {ours / article:.3f}",
            flush=True,
        )


def timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def article_loop(size: list[str], runs: int) -> None:
    for _ in range(ARMS * runs):
        quiet([*EXPERIMENT, *size, "--no-predictions"])


def our_demo(size: list[str], runs: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        options = ["--runs", str(runs), "--pairs", "0"]
        options += ["--dir", str(Path(place) / "kept"), "--results", str(Path(place) / "results")]
        quiet([sys.executable, "-m", "seedproof", "demo", *size, *options])


def quiet(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
