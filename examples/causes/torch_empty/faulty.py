"""The hidden state of a network is made with torch.empty and never written before it is read.

Cause: uninitialized_memory
"""

import torch

torch.manual_seed(0)
sequences = torch.randn(20, 5, 4)
targets = sequences.sum(dim=(1, 2))
cell = torch.nn.RNNCell(4, 500)
head = torch.nn.Linear(500, 1)
optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.01)

for _ in range(5):
    state = torch.empty(20, 500)
    for at in range(5):
        state = cell(sequences[:, at], torch.nan_to_num(state).clamp(-1, 1))
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(head(state).squeeze(1), targets).backward()
    optimizer.step()
