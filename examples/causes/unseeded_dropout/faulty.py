"""The weights come from a seeded generator, and the masks of dropout from one that is not.

Cause: seeds
"""

import torch

seeded = torch.Generator().manual_seed(0)
inputs = torch.randn(100, 8, generator=seeded)
targets = inputs.abs().sum(dim=1, keepdim=True)

model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))
for weight in model.parameters():
    torch.nn.init.normal_(weight, std=0.1, generator=seeded)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(10):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
