"""Ranks that torchrun starts: each is recorded for itself, and trains as if nobody looked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from keras_runs import same_bits

from conftest import environment
from seedproof.trace.reader import Trace
from traces import BOOTSTRAP

pytestmark = [
    pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch"),
    pytest.mark.slow,
]
SCRIPT = Path(__file__).with_name("torch_ranks.py")


def left(style, place, **recording):
    """What each rank has in the end."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    subprocess.run(
        [sys.executable, *launcher, str(SCRIPT), style, str(place)],
        env=environment(OMP_NUM_THREADS="1", **recording),
        capture_output=True,
        check=True,
        timeout=300,
    )
    found = []
    for rank in range(2):
        with np.load(place / f"rank{rank}.npz") as arrays:
            found += [arrays[name] for name in arrays.files]
    return found


@pytest.mark.parametrize(("style", "steps"), [("data_parallel", 4), ("sharded", 3)])
def test_each_rank_is_seen_whole_and_keeps_its_bits(style, steps, tmp_path):
    for place in ("plain", "recorded"):
        (tmp_path / place).mkdir()
    plain = left(style, tmp_path / "plain")
    run = tmp_path / "run"
    run.mkdir()
    (run / "launch.json").write_text(json.dumps({"pins": {}, "inside_environment": {}}))
    recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": str(run)}
    assert same_bits(plain, left(style, tmp_path / "recorded", **recording))
    trace = Trace(run / "trace")
    trace.refresh()
    for rank in ("rank0", "rank1"):
        stream = trace.streams[rank]
        assert stream.watermark() == steps
        assert stream.all("trouble") == stream.all("unseen") == []
        assert "optimizer0#0" in stream.tables
        names = [column.name for column in stream.tables["optimizer0#0"].columns]
        assert names[0] == "0.weight"
