"""Points that meet in a cell are added up, in the order in which they are given."""

import torch

torch.manual_seed(0)
cells = torch.randint(0, 200_000, (1_000_000,))
points = torch.randn(1_000_000, 4)

grid = torch.zeros(200_000, 4)
grid.index_add_(0, cells, points)

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    (model(grid) ** 2).mean().backward()
    optimizer.step()
