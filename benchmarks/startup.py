"""How long the command takes to answer, over a bare interpreter: interleaved pairs of processes.

python benchmarks/startup.py [PAIRS]
"""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path

import seedproof

COMMANDS = {
    "import seedproof": ["-c", "import seedproof"],
    "seedproof --help": ["-m", "seedproof", "--help"],
    "seedproof check --help": ["-m", "seedproof", "check", "--help"],
    "seedproof demo --help": ["-m", "seedproof", "demo", "--help"],
    "seedproof doctor --help": ["-m", "seedproof", "doctor", "--help"],
    "seedproof eval --help": ["-m", "seedproof", "eval", "--help"],
    "seedproof sources --help": ["-m", "seedproof", "sources", "--help"],
}


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    # As pip leaves a package, whatever PYTHONDONTWRITEBYTECODE says here.
    compileall.compile_dir(Path(seedproof.__file__).parent, quiet=1)
    for title, arguments in COMMANDS.items():
        over = [1000 * (seconds(arguments) - seconds(["-c", "pass"])) for _ in range(pairs)]
        print(
            f"{title:<26}{statistics.median(over):6.1f} ms over a bare start "
            f"(median of {pairs} pairs, {min(over):.1f} to {max(over):.1f})"
        )


if __name__ == "__main__":
    main()
