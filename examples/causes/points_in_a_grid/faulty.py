"""Points are written into a grid, and where several meet in a cell, the last thread to come wins.

Cause: op_determinism
"""

import torch

torch.manual_seed(0)
cells = torch.randint(0, 200_000, (1_000_000,))
points = torch.randn(1_000_000, 4)

grid = torch.zeros(200_000, 4)
grid[cells] = points

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    (model(grid) ** 2).mean().backward()
    optimizer.step()
