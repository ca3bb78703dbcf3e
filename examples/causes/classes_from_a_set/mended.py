"""The names of the classes are sorted."""

import torch

torch.manual_seed(0)
names = ["cat", "dog", "bird", "horse"] * 20
number = {name: at for at, name in enumerate(sorted(set(names)))}
targets = torch.tensor([number[name] for name in names])
images = torch.randn(len(names), 16) + torch.tensor([len(name) for name in names]).unsqueeze(1)

model = torch.nn.Linear(16, len(number))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(10):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images), targets)
    loss.backward()
    optimizer.step()
