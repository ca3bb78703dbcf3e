"""What recording costs, framework by framework: each measures pairs inside a process of its own.

python benchmarks/recording.py [PAIRS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FRAMEWORKS = ("keras", "torch", "jax")


def main() -> None:
    for framework in FRAMEWORKS:
        program = Path(__file__).with_name(f"recording_{framework}.py")
        subprocess.run([sys.executable, str(program), *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
