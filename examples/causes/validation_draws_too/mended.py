"""Validation has a generator of its own, so it may come when it likes."""

import time

import torch

torch.manual_seed(0)
inputs, targets = torch.randn(200, 6), torch.randn(200, 1)
model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Dropout(0.5), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for_validation = torch.Generator().manual_seed(1)


def validate():
    chosen = torch.randperm(200, generator=for_validation)[:20]
    with torch.no_grad():
        return torch.nn.functional.mse_loss(model.eval()(inputs[chosen]), targets[chosen])


due = time.time()
for _ in range(60):
    if time.time() > due:
        print(f"validated: {validate():.2f}")
        due = time.time() + 0.003
    model.train()
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(inputs), targets).backward()
    optimizer.step()
