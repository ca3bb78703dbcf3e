"""The hash of each patient decides on the fold, and objects hash by their addresses.

Cause: aslr
"""

import torch


class Patient:
    """Has no hash of its own."""

    def __init__(self, number):
        self.number = number
        self.values = torch.randn(6)


torch.manual_seed(0)
patients = [Patient(number) for number in range(300)]
kept = torch.stack([one.values for one in patients if hash(one) % 1000 >= 200])
targets = kept.prod(dim=1, keepdim=True)

model = torch.nn.Linear(6, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(kept), targets).backward()
    optimizer.step()
