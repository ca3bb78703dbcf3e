"""PyTorch's kernels that add up in any order, on a real GPU: caught, named, and mended."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec

import pytest

from seedproof.frameworks.base import has_gpu

pytestmark = [
    pytest.mark.skipif(not has_gpu(), reason="no GPU"),
    pytest.mark.skipif(find_spec("torch") is None, reason="no torch"),
]

START = """
import torch
from torch.nn import functional

torch.manual_seed(0)
gpu = torch.device("cuda")
weights = torch.nn.Parameter(torch.randn(1_000_000, 4, device=gpu))
cells = torch.randint(0, 50, (1_000_000,), device=gpu)
optimizer = torch.optim.SGD([weights], 0.1)
for step in range(4):
    optimizer.zero_grad()
    grid = torch.zeros(50, 4, device=gpu)
"""
STEP = """
    (grid**2).mean().backward()
    optimizer.step()
"""
ADDS = {
    "index_add": "grid = grid.index_add(0, cells, weights)",
    "scatter_add": "grid = grid.scatter_add(0, cells[:, None].expand(-1, 4), weights)",
    "index_put": "grid = grid.index_put((cells,), weights, accumulate=True)",
    "interpolate": (
        "grid = functional.interpolate("
        "weights.view(4, 1, 1000, 1000), size=(1501, 1501), mode='bilinear')"
    ),
}
ATTENTION = """
import torch
from torch.nn import functional

torch.manual_seed(0)
gpu = torch.device("cuda")
weights = torch.nn.Parameter(torch.randn(3, 4, 8, 2048, 64, device=gpu, dtype=torch.float16))
optimizer = torch.optim.SGD([weights], 0.1)
for step in range(4):
    optimizer.zero_grad()
    found = functional.scaled_dot_product_attention(*weights)
    (found.float() ** 2).mean().backward()
    optimizer.step()
"""
CONVOLUTION = """
import torch

torch.manual_seed(0)
gpu = torch.device("cuda")
model = torch.nn.Conv2d(64, 64, 3, padding=1).to(gpu)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
images = torch.randn(64, 64, 112, 112, device=gpu)
for step in range(4):
    optimizer.zero_grad()
    (model(images) ** 2).mean().backward()
    optimizer.step()
"""
KERAS = """
import keras, numpy as np, torch

keras.utils.set_random_seed(0)

class Sums(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(1_000_000, 4))
        self.cells = torch.randint(0, 50, (1_000_000,), device="cuda")

    def call(self, x):
        grid = torch.zeros(50, 4, device="cuda").index_add(0, self.cells, self.kernel.value)
        return x @ grid

model = keras.Sequential([keras.layers.Input((50,)), Sums()])
model.compile("sgd", "mse")
model.fit(np.ones((32, 50), "f4"), np.ones((32, 4), "f4"), batch_size=8, verbose=0)
"""


def program(adds):
    return START + f"    {adds}" + STEP


def explained(seedproof, name):
    done = seedproof("explain", "--python", sys.executable, "--json", "-", name)
    return json.loads(done.out)


@pytest.fixture(scope="module", autouse=True)
def gpu():
    """A driver alone computes nothing."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("PyTorch has no GPU")
    return torch.device("cuda")


@pytest.mark.parametrize("adds", ADDS.values(), ids=ADDS)
def test_what_adds_up_in_any_order_is_caught_and_repeats_where_it_must(seedproof, script, adds):
    name = script(program(adds))
    assert seedproof.check("--policy", "as-is", name)["verdict"] == "diverged"
    assert seedproof.check("--policy", "deterministic", name)["verdict"] == "identical"


def test_keras_on_pytorch_is_caught_and_repeats_where_it_must(seedproof, script):
    pytest.importorskip("keras")
    name, backend = script(KERAS), {"KERAS_BACKEND": "torch"}
    assert seedproof.check("--policy", "as-is", name, **backend)["verdict"] == "diverged"
    assert seedproof.check("--policy", "deterministic", name, **backend)["verdict"] == "identical"


@pytest.mark.parametrize(
    ("text", "operation", "line"),
    [
        (program(ADDS["scatter_add"]), "scatter_add", 13),
        (program(ADDS["index_put"]), "index_put", 13),
    ],
    ids=["scatter_add", "index_put"],
)
def test_the_operation_and_its_line_are_named_and_the_cause_is_proved(
    seedproof, script, text, operation, line
):
    found = explained(seedproof, script(text))
    (cause,) = found["causes"]
    assert (cause["source"], cause["status"]) == ("op_determinism", "proved")
    assert operation in found["operation"]["name"]
    assert found["divergence"]["line"].endswith(f"train.py:{line}")


@pytest.mark.parametrize(
    ("text", "backward", "line"),
    [(ATTENTION, "attention", 12), (CONVOLUTION, "convolution_backward", 11)],
    ids=["attention", "convolution"],
)
def test_a_backward_pass_that_differs_is_named(seedproof, script, text, backward, line):
    """Which kernel is chosen is up to the card: one that keeps an order has nothing to name."""
    name = script(text)
    if seedproof.check("--policy", "as-is", name)["verdict"] == "identical":
        pytest.skip("this card computes it in one order")
    found = explained(seedproof, name)
    (cause,) = found["causes"]
    assert (cause["source"], cause["status"]) == ("op_determinism", "proved")
    assert backward in found["operation"]["name"]
    assert found["divergence"]["line"].endswith(f"train.py:{line}")


def test_digests_computed_on_the_device_are_those_of_the_host(gpu):
    import torch

    from seedproof.frameworks.torch.found import Found, known
    from seedproof.frameworks.torch.look import look

    tensors = [
        torch.randn(3, 5),
        torch.randn(70_001),
        torch.randint(0, 9, (7,)),
        torch.randn(2, 9).bfloat16(),
        torch.randn(4, 4).t(),
        torch.tensor([float("nan"), -0.0]),
    ]
    there = look([tensor.to(gpu) for tensor in tensors])
    assert isinstance(there, Found)  # nothing has waited for the device yet
    assert known(there) == known(look(tensors))
    assert known(look([(tensors[0] + 1).to(gpu)])) != known(look(tensors[:1]))
