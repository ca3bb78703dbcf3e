"""The learning rate falls with the time that has passed, so it depends on how busy the machine is.

Cause: clock
"""

import time

import torch

torch.manual_seed(0)
inputs = torch.randn(100, 5)
targets = inputs.sum(dim=1, keepdim=True)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

start = time.time()
for step in range(20):
    passed = time.time() - start
    for group in optimizer.param_groups:
        group["lr"] = 0.1 / (1 + passed)
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
