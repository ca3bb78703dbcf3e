"""Each worker's generator takes the seed that PyTorch gives to the worker."""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info


class Shifted(Dataset):
    """Each picture is shifted a little, in another way each time."""

    def __init__(self):
        self.images = torch.randn(64, 10)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, at):
        shift = get_worker_info().dataset.generator.integers(-2, 3)
        return torch.roll(self.images[at], int(shift)), self.images[at].sum()


def give_generator(_worker):
    get_worker_info().dataset.generator = np.random.default_rng(get_worker_info().seed)


torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(10, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loader = DataLoader(Shifted(), batch_size=16, num_workers=2, worker_init_fn=give_generator)
for images, targets in loader:
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(images).squeeze(1), targets).backward()
    optimizer.step()
