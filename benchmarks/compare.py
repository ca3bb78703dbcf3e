"""What it takes to compare two long traces: seconds, and memory against one tenth of the length.

Each comparison runs in a process of its own, so that its peak memory is its own (Linux tells it).
The traces, of 1,000,000 steps with 8 tensors each (72 MB), are written into a temporary directory.

    python benchmarks/compare.py [STEPS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seedproof.trace.digest import DIGEST_ID
from seedproof.trace.format import SCHEMA, Column
from seedproof.trace.writer import StreamWriter

TENSORS = 8
STREAMS = 500
BLOCK = 1 << 14
COLUMNS = [Column("update", f"w{at}", dtype="float32", shape=(10,)) for at in range(TENSORS)]
COMPARE = """
import json, sys, time
from pathlib import Path
from seedproof.compare.comparison import Comparison
from seedproof.compare.trace_digest import trace_digest
from seedproof.compare.verdict import judge
from seedproof.trace.reader import Trace

what, steps, *runs = sys.argv[1:]
traces = [Trace(Path(run)) for run in runs]
steps = int(steps) or None
began = time.perf_counter()
if what == "digest":
    traces[0].refresh()
    answer = trace_digest(traces[0], steps)
else:
    answer = judge({1: Comparison(*traces, steps)}, (0, 1)).name
seconds = time.perf_counter() - began
status = Path("/proc/self/status").read_text()  # getrusage counts what started this process too
peak = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps({"answer": answer, "seconds": seconds, "peak_mb": peak / 1024}))
"""


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="seedproof-") as place:
        for name, length in (("long", steps), ("short", steps // 10)):
            for run, last_word in (("0", 0), ("1", 0), ("other", 1)):
                write_trace(Path(place) / name / run, length, last_word)
        report(Path(place), steps)
        for run in ("0", "1"):
            write_many_streams(Path(place) / "many" / run)
        told = measured("verdict", 0, Path(place) / "many", "1")
        print(f"{STREAMS} streams of 100 steps: {told['seconds']:.2f} s, {told['answer']}")


def report(place: Path, steps: int) -> None:
    print(f"two traces of {steps:,} steps with {TENSORS} tensors each")
    cases = {
        "equal": ("verdict", 0, "1", "identical"),
        "one bit in the last row": ("verdict", 0, "other", "diverged"),
        "that row out of scope": ("verdict", 1, "other", "identical"),
        "digest of one": ("digest", 0, "1", ""),
    }
    for title, (what, fewer, run, answer) in cases.items():
        long = measured(what, fewer and steps - 1, place / "long", run)
        short = measured(what, fewer and steps // 10 - 1, place / "short", run)
        assert answer in ("", long["answer"]), long["answer"]
        print(
            f"{title:<24}{long['seconds']:6.2f} s, peak memory {long['peak_mb']:.0f} MB, "
            f"{long['peak_mb'] / short['peak_mb']:.2f} times that of a tenth of the length"
        )


def measured(what: str, steps: int, place: Path, run: str) -> dict[str, object]:
    command = [sys.executable, "-c", COMPARE, what, str(steps), str(place / "0"), str(place / run)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def begun(directory: Path) -> StreamWriter:
    writer = StreamWriter(str(directory))
    writer.event("hello", schema=SCHEMA, digest=DIGEST_ID, at=time.time())
    return writer


def write_trace(directory: Path, steps: int, last_word: int) -> None:
    writer = begun(directory / "main")
    table = writer.table("optimizer0#0", COLUMNS)
    generator = np.random.default_rng(0)
    for first in range(0, steps, BLOCK):
        count = min(BLOCK, steps - first)
        rows = generator.integers(0, 1 << 62, (count, 1 + TENSORS))
        rows[:, 0] = range(first, first + count)
        if first + count == steps:
            rows[-1, -1] ^= last_word
        table.append_rows(rows.astype("<i8").tobytes())
    end(writer, steps)


def write_many_streams(directory: Path) -> None:
    end(begun(directory / "main"), 0)
    for number in range(STREAMS):
        writer = begun(directory / "main" / f"worker{number}")
        table = writer.table("update/w#0", COLUMNS)
        for step in range(100):
            table.append(step, [number + step] * TENSORS)
        end(writer, 100)


def end(writer: StreamWriter, steps: int) -> None:
    writer.watermark(steps)
    writer.event("end")
    writer.close()


if __name__ == "__main__":
    main()
