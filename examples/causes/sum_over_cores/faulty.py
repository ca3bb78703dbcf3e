"""A long sum is shared among the cores, so a machine with more of them adds in another order.

Cause: num_threads (where it is varied)
"""

import torch

torch.manual_seed(0)
inputs = torch.randn(400_000)
scale = torch.nn.Parameter(torch.tensor(0.5))
optimizer = torch.optim.SGD([scale], lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    loss = (torch.sin(scale * inputs) - 1).sum() / 1000
    loss.backward()
    optimizer.step()
