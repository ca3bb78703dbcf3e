"""The seed is made from all variables of the environment, to tell experiments apart.

Cause: environment (where it is varied)
"""

import os

import torch

torch.manual_seed(sum(len(value) for value in os.environ.values()))
inputs = torch.randn(100, 5)
targets = inputs.max(dim=1, keepdim=True).values
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
