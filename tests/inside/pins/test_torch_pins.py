"""PyTorch's part in entropy, data order, fresh memory, instruction sets and autotuning."""

from __future__ import annotations

import sys

import pytest
from pinned_runs import repeats, run

torch = pytest.importorskip("torch")

LOADER = """
import time, torch
from torch.utils.data import DataLoader, Dataset, get_worker_info
class Slow(Dataset):
    "The first worker is the slower one."
    def __len__(self): return 6
    def __getitem__(self, at):
        if get_worker_info() and get_worker_info().id == 0: time.sleep(0.3)
        return at
if __name__ == "__main__":
    print([int(n) for n in DataLoader(Slow(), batch_size=None, num_workers=2{})])
"""


def test_a_seed_from_the_system_repeats(tmp_path):
    script = "import torch\nprint(torch.seed(), torch.rand(2))"
    assert repeats(tmp_path, script, pins={"entropy": 5})
    assert not repeats(tmp_path, script)


def test_the_global_generator_belongs_to_the_seeds(tmp_path):
    script = "import torch\nprint(torch.rand(2))"
    assert not repeats(tmp_path, script, pins={"entropy": 5})


@pytest.mark.parametrize("asked", ["", ", in_order=False"])
def test_batches_of_workers_come_in_order(tmp_path, asked):
    pinned = run(tmp_path, LOADER.format(asked), pins={"data_order": True})
    assert pinned.lines == ["[0, 1, 2, 3, 4, 5]"]


def test_varied_they_come_as_they_are_ready(tmp_path):
    varied = run(tmp_path, LOADER.format(""), offers={"data_order": False})
    assert varied.lines != ["[0, 1, 2, 3, 4, 5]"]


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux fills it")
def test_fresh_memory_is_filled_with_the_byte_that_was_asked_for(tmp_path):
    script = "import torch\nprint(torch.empty(5, 1000, dtype=torch.uint8).unique().tolist())"
    assert run(tmp_path, script, pins={"uninitialized_memory": 63}).lines == ["[63]"]
    assert run(tmp_path, script).lines != ["[63]"]


def test_with_deterministic_operations_pytorch_fills_it(tmp_path):
    script = "import torch\nprint(torch.empty(999).isnan().all().item())"
    pins = {"op_determinism": True, "uninitialized_memory": "frameworks"}
    pinned = run(tmp_path, script, pins=pins)
    assert (pinned.lines, pinned.missed()) == (["True"], [])


def test_alone_that_is_said_to_be_missed(tmp_path):
    pinned = run(tmp_path, "import torch", pins={"uninitialized_memory": "frameworks"})
    assert pinned.missed() == ["memory that PyTorch hands out: it is filled with op_determinism"]


@pytest.mark.skipif(torch.backends.cudnn.is_available(), reason="cuDNN is there")
def test_without_cudnn_there_is_nothing_to_tune(tmp_path):
    varied = run(tmp_path, "import torch", offers={"autotune": True})
    assert [one["set"] for one in varied.trace.all("offered")] == [[]]


def test_operations_are_varied_by_their_switch(tmp_path):
    script = "import torch\nprint(torch.are_deterministic_algorithms_enabled())"
    assert run(tmp_path, script, offers={"op_determinism": True}).lines == ["True"]
    both = run(tmp_path, script, offers={"op_determinism": False}, pins={"op_determinism": True})
    assert both.lines == ["True"]
    assert [one["value"] for one in both.trace.all("offered") if one["set"]] == [False]
