"""Small trainings in the styles that PyTorch allows; run as a script with a style and a seed.

python torch_styles.py STYLE SEED OUTPUT.npz
"""

from __future__ import annotations

import copy
import random
import sys
import threading

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset, TensorDataset

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 0
GENERATOR = torch.Generator().manual_seed(7)
IMAGES = torch.rand(32, 12, generator=GENERATOR)
LABELS = torch.randint(0, 4, (32,), generator=GENERATOR)


class Network(nn.Module):
    """A classifier with a part that has buffers and one that draws at random."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(12, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(8, 4)

    def forward(self, x):
        return self.last(self.drop(torch.relu(self.norm(self.first(x)))))


class Augmented(Dataset):
    """Items that are made at random, with a module, where they are loaded."""

    def __init__(self):
        self.scale = nn.Linear(12, 12)

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, at):
        noise = torch.rand(12) * random.random()
        return {"label": LABELS[at], "image": self.scale(IMAGES[at] + noise).detach()}


def weights(*models):
    return [value for model in models for value in model.state_dict().values()]


def trained(model, optimizer, steps=4):
    """A loop over batches that the script cuts itself."""
    for step in range(steps):
        x, y = IMAGES[step * 8 : step * 8 + 8], LABELS[step * 8 : step * 8 + 8]
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return weights(model)


def sgd():
    model = Network()
    return trained(model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))


class Overwriting(torch.optim.SGD):
    """An optimizer that leaves nothing of its gradients, and does not say so."""

    def step(self, closure=None):
        result = super().step(closure)
        for param in self.param_groups[0]["params"]:
            param.grad.data.zero_()
        return result


def overwritten_gradients():
    model = Network()
    return trained(model, Overwriting(model.parameters(), lr=0.1, momentum=0.9))


def gradients_given_back():
    """The memory of gradients is given back as soon as they have been used."""

    def give_back(optimizer, *_):
        for param in optimizer.param_groups[0]["params"]:
            param.grad.untyped_storage().resize_(0)

    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_step_post_hook(give_back)
    return trained(model, optimizer)


def gradients_taken_by_a_hook():
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.register_step_post_hook(lambda *_: optimizer.zero_grad())
    return trained(model, optimizer)


def weights_gone_in_the_end():
    """When the recording ends there is nothing left to be read."""
    model = Network()
    left = [value.clone() for value in trained(model, torch.optim.SGD(model.parameters(), lr=0.1))]
    torch.__future__.set_swap_module_params_on_conversion(True)
    model.zero_grad()
    global kept_to_the_end
    kept_to_the_end = model.to("meta")
    return left


def fused_adam():
    model = Network()
    return trained(model, torch.optim.Adam(model.parameters(), fused=True))


def loader(data=None, workers=0, epochs=2, **options):
    """An epoch is four batches, and is followed by a validation."""
    data = data or TensorDataset(IMAGES, LABELS)
    model, loss = Network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    batches = DataLoader(data, batch_size=8, shuffle=True, num_workers=workers, **options)
    for _ in range(epochs):
        model.train()
        for batch in batches:
            x, y = batch if isinstance(batch, list) else (batch["image"], batch["label"])
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for x, _ in DataLoader(TensorDataset(IMAGES, LABELS), batch_size=16):
                model(x)
    return weights(model)


def loaded_here():
    return loader(Augmented())


def forked_workers():
    return loader(Augmented(), 2, multiprocessing_context="fork")


def persistent_workers():
    data = TensorDataset(IMAGES, LABELS)
    return loader(data, 1, epochs=3, persistent_workers=True)


def spawned_workers():
    return loader(Augmented(), 2, multiprocessing_context="spawn", persistent_workers=True)


def compiled(backend="eager"):
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trained(torch.compile(model, backend=backend), optimizer)
    return weights(model)


def compiled_by_inductor():
    return compiled("inductor")


def compiled_step():
    model = Network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    @torch.compile(backend="eager")
    def step(x, y):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    for at in range(0, 32, 8):
        step(IMAGES[at : at + 8], LABELS[at : at + 8])
    return weights(model)


def by_hand():
    """As in old examples: no optimizer at all."""
    model = Network()
    for x, y in DataLoader(TensorDataset(IMAGES, LABELS), batch_size=8):
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        for param in model.parameters():
            param.data.add_(param.grad, alpha=-0.1)
    return weights(model)


def gan():
    maker = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.Tanh())
    judge = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1))
    for_maker = torch.optim.Adam(maker.parameters(), lr=0.01)
    for_judge = torch.optim.Adam(judge.parameters(), lr=0.01)
    loss, real, fake = nn.BCEWithLogitsLoss(), torch.ones(8, 1), torch.zeros(8, 1)
    for at in range(0, 24, 8):
        made = maker(torch.randn(8, 6))
        for_judge.zero_grad()
        loss(judge(IMAGES[at : at + 8]), real).backward()
        loss(judge(made.detach()), fake).backward()
        for_judge.step()
        for_maker.zero_grad()
        loss(judge(made), real).backward()
        for_maker.step()
    return weights(maker, judge)


def accumulation():
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters())
    for at, (x, y) in enumerate(DataLoader(TensorDataset(IMAGES, LABELS), batch_size=8)):
        (F.cross_entropy(model(x), y) / 2).backward()
        if at % 2:
            optimizer.step()
            optimizer.zero_grad()
    return weights(model)


def skipped_update():
    """The second of three updates has gradients that overflow."""
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=16.0)
    for step in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(IMAGES[:8]), LABELS[:8])
        scaler.scale(loss * (float("inf") if step == 1 else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
    return weights(model)


def lbfgs():
    model = nn.Linear(12, 4)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(IMAGES), LABELS)
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    return weights(model)


def sparse_embedding():
    model = nn.EmbeddingBag(20, 4, sparse=True, mode="sum")
    optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
    words = (IMAGES * 20).long()
    return trained_on(model, optimizer, words)


def trained_on(model, optimizer, inputs, steps=3):
    for step in range(steps):
        optimizer.zero_grad()
        batch = slice(step * 8, step * 8 + 8)
        F.cross_entropy(model(inputs[batch]), LABELS[batch]).backward()
        optimizer.step()
    return weights(model)


def scheduler_and_second_phase():
    """A scheduler makes cycles of references: when the first optimizer goes is up to chance."""
    model = Network()
    for part in (model.last, model):
        optimizer = torch.optim.SGD(part.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(IMAGES[:8]), LABELS[:8]).backward()
            optimizer.step()
            schedule.step()
    model.load_state_dict({name: value * 0.5 for name, value in model.state_dict().items()})
    return weights(model)


def unused_and_frozen():
    model = Network()
    model.spare = nn.Linear(2, 2)
    model.first.requires_grad_(False)
    return trained(model, torch.optim.SGD(model.parameters(), lr=0.1))


class ManyTypes(nn.Module):
    """Weights of the types that a trace has no room for in NumPy, and of complex ones."""

    def __init__(self):
        super().__init__()
        for dtype in (torch.bfloat16, torch.float16, torch.float64, torch.complex64):
            name = str(dtype).replace(".", "_")
            self.register_parameter(name, nn.Parameter(torch.randn(12, 4).to(dtype)))

    def forward(self, x):
        return sum((x.to(p.dtype) @ p).abs().float() for p in self.parameters())


def many_types():
    model = ManyTypes()
    return trained(model, torch.optim.SGD(model.parameters(), lr=0.1))


def checkpointed():
    """What was not kept is computed again in the backward pass, by calls of modules."""
    from torch.utils.checkpoint import checkpoint

    model, optimizer = Network(), None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        hidden = checkpoint(model.first, IMAGES[:8], use_reentrant=False)
        F.cross_entropy(model.last(torch.relu(hidden)), LABELS[:8]).backward()
        optimizer.step()
    return weights(model)


def counted_operations():
    """A mode of the script's own counts every operation; what looks must not be counted."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    counts = torch.zeros(2)

    class Dispatched(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            counts[0] += 1
            return func(*args, **(kwargs or {}))

    class Called(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            counts[1] += 1
            return func(*args, **(kwargs or {}))

    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Dispatched(), Called():
        trained(model, optimizer)
    return [*weights(model), counts]


def in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.extend(loader()))
    thread.start()
    thread.join()
    return found


def hogwild():
    """Several threads update the same weights as they come. Their gradients stay where they are:
    to replace them while others read them brings PyTorch down, with and without us."""
    model = nn.Linear(12, 4)
    for param in model.parameters():
        param.grad = torch.zeros_like(param)

    def train():
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(20):
            optimizer.zero_grad(set_to_none=False)
            F.cross_entropy(model(IMAGES), LABELS).backward()
            optimizer.step()
            turn.wait()

    turn = threading.Barrier(3)
    threads = [threading.Thread(target=train) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return []


def failing_updates():
    """An update that fails is tried again, as after a lack of memory."""
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def closure(fails):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(IMAGES[:8]), LABELS[:8])
        loss.backward()
        if fails:
            raise MemoryError
        return loss

    for step in range(4):
        try:
            optimizer.step(lambda step=step: closure(fails=step % 2 == 0))
        except MemoryError:
            continue
    return weights(model)


def many_short_lived_optimizers():
    """A learner that learns to learn: each step trains a copy with an optimizer of its own."""
    model = nn.Linear(12, 4)
    outer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        copied = copy.deepcopy(model)
        inner = torch.optim.SGD(copied.parameters(), lr=0.1)
        for _ in range(2):
            inner.zero_grad()
            F.cross_entropy(copied(IMAGES), LABELS).backward()
            inner.step()
        outer.zero_grad()
        for ours, theirs in zip(model.parameters(), copied.parameters(), strict=True):
            ours.grad = ours.detach() - theirs.detach()
        outer.step()
    return weights(model)


def as_array(tensor):
    tensor = tensor.detach().cpu()
    return (tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor).numpy()


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    random.seed(SEED)
    left = globals()[sys.argv[1]]()
    np.savez(sys.argv[3], *map(as_array, left))
