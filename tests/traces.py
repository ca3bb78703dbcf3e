"""Real traces, for tests: small ones from the real writer, and those that scripts leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conftest import environment
from seedproof.trace import reader
from seedproof.trace.digest import DIGEST_ID
from seedproof.trace.format import MAIN_STREAM, SCHEMA, Column
from seedproof.trace.reader import Stream, main_stream
from seedproof.trace.writer import StreamWriter

HELLO = {"schema": SCHEMA, "digest": DIGEST_ID, "at": 100.0, "cpu": 1.0, "pins": {}}
UPDATE = (Column("update", "w", dtype="float32", shape=(2,)),)
BOOTSTRAP = Path(sys.modules["seedproof"].__file__).parent / "inside" / "bootstrap"


class Trace:
    """One stream of the trace of one run, written piece by piece as the recorder does."""

    def __init__(self, directory: Path, /, role: str = MAIN_STREAM, **hello: Any) -> None:
        self.root = directory
        self.role = role
        self.directory = directory / role
        self.writer = StreamWriter(str(self.directory))
        weakref.finalize(self, self.writer.close)
        self.writer.event("hello", **{**HELLO, **hello})

    def beside(self, role: str, **hello: Any) -> Trace:
        """Another stream of the same run."""
        return Trace(self.root, role, **hello)

    @property
    def trace(self) -> reader.Trace:
        """The trace of the whole run, read anew."""
        trace = reader.Trace(self.root)
        trace.refresh()
        return trace

    @property
    def stream(self) -> Stream:
        """All that has been written of this stream, read anew."""
        stream = Stream(self.directory)
        stream.refresh()
        return stream

    def rows(self, key: str, *rows: tuple[int, ...], columns: Any = UPDATE) -> Trace:
        """Rows of a table: the step, then one word per column."""
        table = self.writer.table(key, columns)
        for step, *words in rows:
            table.append(step, words)
        return self

    def updates(self, *words: int, first: int = 0) -> Trace:
        """One update each, with the word that it left, as a graph's table has them."""
        self.rows("optimizer0#0", *enumerate(words, first))
        self.writer.watermark(first + len(words))
        return self

    def keep(self, name: str, array: Any, step: int = 0, phase: str = "update") -> Trace:
        """The values of an array."""
        array = np.asarray(array)
        raw = array.tobytes()
        self.writer.keep(name, phase, step, str(array.dtype), array.shape, raw)
        return self

    def end(self, **more: Any) -> Trace:
        """The recording reaches the end of its process."""
        self.writer.event("end", at=101.0, cpu=2.0, **more)
        return self


def run_recorded(
    run: Path,
    command: Sequence[str],
    launch: dict[str, Any],
    timeout: float = 240,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Carries out a command, in the directory that holds that of its `run`, as a check would."""
    run.mkdir()
    (run / "launch.json").write_text(json.dumps({"pins": {}, "inside_environment": {}, **launch}))
    recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": os.fspath(run)}
    return subprocess.run(
        command,
        cwd=run.parent,
        env=environment(**variables, **recording),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def recorded(
    script: str, directory: Path, status: int = 0, **pins: Any
) -> tuple[Stream, subprocess.CompletedProcess[str]]:
    """What a script leaves when it runs in a recorded process of its own."""
    run = directory / "run"
    (directory / "script.py").write_text(script)
    done = run_recorded(run, [sys.executable, "script.py"], {"pins": pins}, timeout=120)
    assert done.returncode == status, done.stderr
    stream = main_stream(run / "trace")
    stream.refresh()
    return stream, done


def rows_of(stream: Stream, key: str) -> list[tuple[int, ...]]:
    """Every row of a table: the step, then the words."""
    table = stream.tables[key]
    words = np.frombuffer(table.read(0, table.whole_rows()), "<u8").reshape(
        -1, table.row_bytes // 8
    )
    return [(int(np.int64(np.uint64(step))), *map(int, rest)) for step, *rest in words]
