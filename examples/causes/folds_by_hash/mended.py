"""The hash is made from the patient's number."""

import torch


class Patient:
    """Has no hash of its own."""

    def __init__(self, number):
        self.number = number
        self.values = torch.randn(6)


torch.manual_seed(0)
patients = [Patient(number) for number in range(300)]
kept = torch.stack([one.values for one in patients if hash(one.number) % 1000 >= 200])
targets = kept.prod(dim=1, keepdim=True)

model = torch.nn.Linear(6, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(kept), targets).backward()
    optimizer.step()
