"""Trainings with several optimizers, with workers that load, and with several ranks."""

from __future__ import annotations

import sys

import pytest
from small_trainings import ALL_THE_SAME, FROM_BATCH_20, TORCH_GAN, needs

pytestmark = needs("torch")


@pytest.mark.parametrize(
    ("first_other", "verdict"), [(ALL_THE_SAME, "identical"), (FROM_BATCH_20, "diverged")]
)
def test_steps_are_counted_over_both_optimizers(seedproof, script, first_other, verdict):
    found = seedproof.check("--runs", "2", "--keep-going", script(TORCH_GAN), first_other)
    (arm,) = found["arms"]
    assert (arm["verdict"], arm["scope"]["steps"]) == (verdict, 128)
    if verdict == "diverged":
        assert arm["divergence"]["step"] == 2 * 20


SECOND_ALONE = """
import torch
weights = torch.ones(3, requires_grad=True)
other = torch.ones(3, requires_grad=True)
first, second = torch.optim.SGD([weights]), torch.optim.SGD([other])
for step in range(4):
    for optimizer, parameters in ((first, weights), (second, other)):
        parameters.grad = torch.ones(3)
        if step == 2 and optimizer is second:
            import os
            parameters.grad += os.urandom(1)[0] + 256 * os.urandom(1)[0]
        optimizer.step()
"""


@pytest.mark.slow
def test_the_optimizer_whose_update_differs_is_named(seedproof, script):
    found = seedproof.check("--runs", "2", "--keep-going", script(SECOND_ALONE))
    divergence = found["arms"][0]["divergence"]
    assert (divergence["step"], divergence["optimizer"]) == (5, 1)


LOADS = """
import multiprocessing, os, sys
import torch

class Rolls(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, at):
        return torch.rand(3) + at

if __name__ == "__main__":
    loader = torch.utils.data.DataLoader(
        Rolls(), batch_size=2, num_workers=2, multiprocessing_context=sys.argv[1]
    )
    weights = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([weights])
    for batch in loader:
        optimizer.zero_grad()
        (batch * weights).sum().backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    "method",
    [
        "fork",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("spawn", "forkserver")),
    ],
)
def test_what_workers_load_differs_as_it_is_and_repeats_seeded(seedproof, script, method):
    options = ("--runs", "2", "--policy", "as-is", "--policy", "seeded")
    as_is, seeded = seedproof.check(*options, script(LOADS), method)["arms"]
    assert (as_is["verdict"], seeded["verdict"]) == ("diverged", "identical")
    assert (as_is["divergence"]["step"], as_is["divergence"]["phase"]) == (0, "data")
    assert seeded["scope"]["steps"] == 4


RANKS = """
import os, sys
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(4):
    batch = torch.full((2, 3), float(rank + step))
    if sys.argv[1] == str(rank) and step == 2:
        batch += torch.rand(1, generator=torch.Generator().manual_seed(os.getpid() * 7919))
    optimizer.zero_grad()
    model(batch).sum().backward()
    optimizer.step()
dist.destroy_process_group()
"""


def of_two_ranks(seedproof, script, who):
    """The one arm of a check of two runs of two ranks; `who` is the rank that differs."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    command = ("--", sys.executable, *launcher, script(RANKS), who)
    (arm,) = seedproof.check("--runs", "2", "--jobs", "1", *command)["arms"]
    return arm


@pytest.mark.slow
def test_ranks_are_compared_each_with_its_own_twin(seedproof, script):
    arm = of_two_ranks(seedproof, script, "none")
    assert (arm["verdict"], arm["scope"]["steps"]) == ("identical", 4)
    for run in arm["runs"]:
        assert {"rank0", "rank1"} <= set(run["streams"])
        assert [(one["rank"], one["equal"]) for one in run["ranks"]] == [(1, True)]


@pytest.mark.slow
def test_the_rank_that_differs_is_named(seedproof, script):
    arm = of_two_ranks(seedproof, script, "1")
    assert arm["verdict"] == "diverged"
    divergence = arm["divergence"]
    assert (divergence["stream"], divergence["step"], divergence["phase"]) == ("rank1", 2, "data")
