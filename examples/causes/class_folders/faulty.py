"""Each class has a folder, and its number is its place in the listing: another on another disk.

Cause: file_order (where it is varied)
"""

import os

import torch

torch.manual_seed(0)
for name in ("apple", "banana", "cherry"):
    os.makedirs(f"fruit/{name}", exist_ok=True)
    torch.save(torch.randn(30, 8) + len(name), f"fruit/{name}/images.pt")

names = os.listdir("fruit")
images = {name: torch.load(f"fruit/{name}/images.pt") for name in names}
inputs = torch.cat([images[name] for name in names])
targets = torch.arange(len(names)).repeat_interleave(30)

model = torch.nn.Linear(8, len(names))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(10):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(inputs), targets).backward()
    optimizer.step()
