"""The seed is made from the one variable that is meant."""

import os

import torch

torch.manual_seed(int(os.environ.get("EXPERIMENT", "0")))
inputs = torch.randn(100, 5)
targets = inputs.max(dim=1, keepdim=True).values
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
