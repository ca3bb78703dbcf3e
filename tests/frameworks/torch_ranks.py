"""Two ranks that train one model, started by torchrun: DistributedDataParallel or sharded.

torchrun --nproc-per-node 2 torch_ranks.py STYLE OUTPUT_DIRECTORY
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))


def data_parallel():
    model = DistributedDataParallel(network())
    generator = torch.Generator().manual_seed(7)
    images = torch.rand(32, 12, generator=generator)
    data = TensorDataset(images, torch.randint(0, 4, (32,), generator=generator))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for x, y in DataLoader(data, batch_size=4, sampler=DistributedSampler(data)):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model.state_dict().values()


def sharded():
    from torch.distributed.fsdp import fully_shard

    model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))
    fully_shard(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        optimizer.zero_grad()
        torch.manual_seed(step + dist.get_rank())
        model(torch.rand(4, 12)).square().sum().backward()
        optimizer.step()
    return [param.to_local() for param in model.parameters()]


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dist.init_process_group("gloo")
    left = globals()[sys.argv[1]]()
    np.savez(f"{sys.argv[2]}/rank{dist.get_rank()}.npz", *[one.detach().numpy() for one in left])
    dist.destroy_process_group()
