"""`torch.compile` makes the same graphs of a script that is recorded."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from conftest import environment
from traces import recorded

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")

SCRIPT = """
import torch, torch._dynamo
from torch import nn

torch.manual_seed(0)
graphs = []

def backend(graph, example):
    graphs.append(graph.print_readable(print_output=False))
    return graph.forward

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, x):
        x = self.norm(self.linear(x))
        {within}
        return torch.relu(x)

model = nn.Sequential(Block(), Block(), nn.Linear(4, 2))
optimizer = torch.optim.Adam(model.parameters())
{before}

def step(x):
    optimizer.zero_grad()
    {forward}(x).square().sum().backward()
    {update}()

{around}
for seed in range(3):
    step(torch.rand(5, 4, generator=torch.Generator().manual_seed(seed)))
import torch._dynamo.utils
print(graphs, sum(torch._dynamo.utils.counters["graph_break"].values()))
print([param.tolist() for param in model.parameters()])
"""
PARTS = {"within": "pass", "before": "", "forward": "model", "update": "optimizer.step"}
COMPILED = "torch.compile({}, backend=backend)"
STYLES = {
    "module": {"before": "model_ = " + COMPILED.format("model"), "forward": "model_"},
    "module in place": {"before": "model.compile(backend=backend)"},
    "part": {"before": "model[1] = " + COMPILED.format("model[1]")},
    "with a break": {
        "before": "model_ = " + COMPILED.format("model"),
        "forward": "model_",
        "within": "torch._dynamo.graph_break()",
    },
    "update": {
        "before": "update = " + COMPILED.format("lambda: optimizer.step()"),
        "update": "update",
    },
    "whole step": {"around": "step = " + COMPILED.format("step")},
}


@pytest.mark.parametrize("style", STYLES)
def test_graphs_breaks_and_weights_are_those_of_a_plain_run(style, tmp_path):
    script = SCRIPT.format(**{"around": "", **PARTS, **STYLES[style]})
    plain = _plain(script, tmp_path)
    assert plain.strip()
    assert _without_places(recorded(script, tmp_path)[1].stdout) == _without_places(plain)


def _without_places(graphs):
    """The files that graphs name in comments have other names in the two runs."""
    return re.sub(r"# File: \S+:", "# File:", graphs)


def _plain(script, directory):
    path = directory / "plain.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


LOST_HOOKS = """
import torch
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def step():
    optimizer.zero_grad()
    model(torch.ones(3, 4)).sum().backward()
    optimizer.step()

step()
torch.optim.SGD.step = torch.optim.SGD.step.__wrapped__  # as old versions do when they compile
torch.optim.SGD.step.hooked = True
step()
"""


def test_updates_whose_hooks_were_taken_off_are_said_to_be_unseen(tmp_path):
    stream, _ = recorded(LOST_HOOKS, tmp_path)
    assert stream.watermark() == 1
    assert [event["text"] for event in stream.all("unseen")]


FAILING = """
import traceback
import torch

class Failing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.inner(x)

try:
    Failing()(torch.ones(3, 3))
except RuntimeError:
    traceback.print_exc()
"""


def test_a_traceback_has_no_frame_of_ours(tmp_path):
    _, done = recorded(FAILING, tmp_path)
    assert "mat1 and mat2" in done.stderr
    assert "seedproof" not in done.stderr
