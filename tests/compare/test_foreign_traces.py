"""Whatever a trace from elsewhere holds, every reader gives an answer or one clear line."""

import json
import random
import shutil

import numpy as np
import pytest

from seedproof.compare.churn import churn, predictions
from seedproof.compare.comparison import Comparison
from seedproof.compare.control import neutral
from seedproof.compare.distance import distance_after
from seedproof.compare.environments import environment_differences
from seedproof.compare.growth import growth
from seedproof.compare.metrics import final_metrics, spreads
from seedproof.compare.ranks import compare_ranks
from seedproof.compare.rows import compared_phases
from seedproof.compare.trace_digest import trace_digest
from seedproof.compare.verdict import judge
from seedproof.trace import reader
from seedproof.trace.format import Column
from seedproof.trace.reader import TraceDamagedError
from traces import Trace

ODD = (
    *(None, True, -1, 0, 2**63 - 1, 2**64, 10**30, 0.5, float("nan"), float("inf")),
    *("", "../../etc/passwd", "/etc/passwd", "\0", "\x1b[2J", "optimizer9#", "O", "f4,f4"),
    *([], [None], [[]], {}, {"a": {}}),
)


FILES = [
    *("main/events.jsonl", "main/0.rows", "main/1.rows", "main/values.bin", "main/watermark"),
    *("rank0/events.jsonl", "rank0/0.rows", "main/worker1/events.jsonl"),
]
EVENTS = [file for file in FILES if file.endswith("events.jsonl")]


@pytest.fixture
def whole(tmp_path):
    """A trace with everything that readers look at."""
    trace = Trace(tmp_path / "whole", role="main", variables={}, mode="steps").updates(1, 2, 3)
    trace.rows("metric/loss#0", (2, 7), columns=[Column("metric", "loss", "value", fold=1)])
    trace.rows("hint/python#0", (0, 5), columns=[Column("init", "python")])
    trace.rows("output/final/m#0", (2, 3), columns=[Column("output", "w")])
    trace.keep("w", np.float32([1, 2])).keep("a/predictions", np.uint8([1]), phase="output")
    trace.writer.event("framework", name="keras", version="3")
    trace.writer.event("pinned", framework="keras", source="seeds", set=["a"], missed=[])
    trace.beside("rank0", world_size=2).updates(1).end(stopped_after=3)
    trace.beside("rank1", world_size=2).updates(1).end(stopped_after=3)
    worker = trace.beside("main/worker1").rows("data/x#0", (0, 1), columns=[Column("data", "x")])
    worker.writer.event("ambiguous")
    return trace.end(stopped_after=3)


def answer(reference, other):
    """What comes of comparing with a foreign trace, whatever is computed from it."""
    ours, theirs = reader.Trace(reference), reader.Trace(other)
    try:
        comparison = Comparison(ours, theirs)
        verdict = judge({1: comparison}, [0, 1])
        comparison.hints(), comparison.notes(), comparison.settled()
        distance_after(ours.main, theirs.main, "w", -1)
        churn(predictions(ours.main), predictions(theirs.main))
        spreads([final_metrics(ours.main), final_metrics(theirs.main)])
        trace_digest(theirs, 2), compared_phases(*theirs.streams.values())
        compare_ranks(theirs), neutral(ours, theirs), theirs.watermark()
        list(growth(ours, theirs)), environment_differences(ours, theirs)
    except TraceDamagedError as damage:
        return str(damage)
    return verdict


def assert_answered(reference, other):
    found = answer(reference.root, other)
    if isinstance(found, str):
        assert found.startswith(str(other))
        assert found.isprintable()
    else:
        assert found.name in ("identical", "diverged", "unknown")
        assert found.reason.isprintable()


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))
        else:
            yield (*path, key)


def with_odd(value, path, odd):
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = with_odd(value[path[0]], path[1:], odd)
    return copy


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of it, for altering."""
    return shutil.copytree(whole.root, tmp_path / "copy")


def test_a_copy_is_read_like_the_original(whole, copy):
    assert answer(whole.root, copy).name == "identical"


@pytest.mark.parametrize("file", EVENTS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_any_value_in_any_place_of_any_event(whole, copy, odd, file):
    lines = (copy / file).read_text().splitlines()
    for at, line in enumerate(lines):
        for path in places(json.loads(line)):
            changed = with_odd(json.loads(line), path, odd)
            content = [*lines[:at], json.dumps(changed), *lines[at + 1 :]]
            (copy / file).write_text("\n".join(content) + "\n")
            assert_answered(whole, copy)


@pytest.mark.parametrize("file", FILES)
def test_any_byte_anywhere(whole, copy, file):
    generator = random.Random(0)
    content = bytearray((copy / file).read_bytes())
    for at in range(len(content)):
        altered = content.copy()
        altered[at] = generator.choice([0, 0x0A, 0x22, 0x7B, 0xFF, altered[at] ^ 1])
        (copy / file).write_bytes(altered)
        assert_answered(whole, copy)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_any_length(whole, copy, file):
    content = (copy / file).read_bytes()
    for size in range(0, len(content), 3):
        (copy / file).write_bytes(content[:size])
        assert_answered(whole, copy)
    (copy / file).write_bytes(content * 2)
    assert_answered(whole, copy)
    (copy / file).unlink()
    assert_answered(whole, copy)
