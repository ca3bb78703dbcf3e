"""The script goes on from a checkpoint if there is one, and an earlier run has left one.

Cause: leftovers (where it is varied)
"""

from pathlib import Path

import torch

torch.manual_seed(0)
inputs = torch.randn(100, 4)
targets = inputs @ torch.tensor([[1.0], [2.0], [3.0], [4.0]])
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

checkpoint = Path("checkpoint.pt")
if checkpoint.exists():
    model.load_state_dict(torch.load(checkpoint))
for _ in range(10):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
torch.save(model.state_dict(), checkpoint)
