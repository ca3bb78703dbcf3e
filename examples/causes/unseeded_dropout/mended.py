"""The global generator, from which dropout draws, is seeded too."""

import torch

seeded = torch.Generator().manual_seed(0)
inputs = torch.randn(100, 8, generator=seeded)
targets = inputs.abs().sum(dim=1, keepdim=True)

model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))
for weight in model.parameters():
    torch.nn.init.normal_(weight, std=0.1, generator=seeded)
torch.manual_seed(1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(10):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
