"""The number of threads is fixed in the script."""

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
inputs = torch.randn(400_000)
scale = torch.nn.Parameter(torch.tensor(0.5))
optimizer = torch.optim.SGD([scale], lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    loss = (torch.sin(scale * inputs) - 1).sum() / 1000
    loss.backward()
    optimizer.step()
