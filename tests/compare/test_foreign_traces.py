"""Whatever a trace from elsewhere holds, every reader gives an answer or one clear line."""

import json
import random
import shutil

import numpy as np
import pytest

from seedproof.compare.churn import churn, predictions
from seedproof.compare.distance import distance_after
from seedproof.compare.divergence import Comparison
from seedproof.compare.metrics import final_metrics, spreads
from seedproof.compare.trace_digest import trace_digest
from seedproof.compare.verdict import compared_phases, judge
from seedproof.trace.format import Column
from seedproof.trace.reader import Stream, TraceDamagedError
from traces import Trace

ODD = (
    *(None, True, -1, 0, 2**63 - 1, 2**64, 10**30, 0.5, float("nan"), float("inf")),
    *("", "../../etc/passwd", "/etc/passwd", "\0", "\x1b[2J", "optimizer9#", "O", "f4,f4"),
    *([], [None], [[]], {}, {"a": {}}),
)


@pytest.fixture
def whole(tmp_path):
    """A trace with everything that readers look at."""
    trace = Trace(tmp_path / "whole", variables={}).updates(1, 2, 3)
    trace.rows("metric/loss#0", (2, 7), columns=[Column("metric", "loss", "value", fold=1)])
    trace.keep("w", np.float32([1, 2])).keep("a/predictions", np.uint8([1]), phase="output")
    trace.writer.event("framework", name="keras", version="3")
    trace.writer.event("pinned", framework="keras", source="seeds", set=["a"], missed=[])
    return trace.end()


def answer(reference, other):
    """What comes of comparing with a foreign trace, whatever is computed from it."""
    ours, theirs = Stream(reference.directory), Stream(other)
    try:
        verdict = judge({1: Comparison(ours, theirs)}, [0, 1])
        distance_after(ours, theirs, "w", -1)
        churn(predictions(ours), predictions(theirs))
        spreads([final_metrics(ours), final_metrics(theirs)])
        trace_digest(theirs)
        compared_phases(theirs)
    except TraceDamagedError as damage:
        return str(damage)
    return verdict


def assert_answered(reference, other):
    found = answer(reference, other)
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


def test_a_copy_is_read_like_the_original(whole, tmp_path):
    shutil.copytree(whole.directory, tmp_path / "copy")
    assert answer(whole, tmp_path / "copy").name == "identical"


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_any_value_in_any_place_of_any_event(whole, tmp_path, odd):
    copy = tmp_path / "copy"
    shutil.copytree(whole.directory, copy)
    lines = (copy / "events.jsonl").read_text().splitlines()
    for at, line in enumerate(lines):
        for path in places(json.loads(line)):
            changed = with_odd(json.loads(line), path, odd)
            content = [*lines[:at], json.dumps(changed), *lines[at + 1 :]]
            (copy / "events.jsonl").write_text("\n".join(content) + "\n")
            assert_answered(whole, copy)


@pytest.mark.parametrize("file", ["events.jsonl", "0.rows", "1.rows", "values.bin", "watermark"])
def test_any_byte_anywhere(whole, tmp_path, file):
    copy, generator = tmp_path / "copy", random.Random(0)
    shutil.copytree(whole.directory, copy)
    content = bytearray((copy / file).read_bytes())
    for at in range(len(content)):
        altered = content.copy()
        altered[at] = generator.choice([0, 0x0A, 0x22, 0x7B, 0xFF, altered[at] ^ 1])
        (copy / file).write_bytes(altered)
        assert_answered(whole, copy)


@pytest.mark.parametrize("file", ["events.jsonl", "0.rows", "1.rows", "values.bin", "watermark"])
def test_a_file_of_any_length(whole, tmp_path, file):
    copy = tmp_path / "copy"
    shutil.copytree(whole.directory, copy)
    content = (copy / file).read_bytes()
    for size in range(0, len(content), 3):
        (copy / file).write_bytes(content[:size])
        assert_answered(whole, copy)
    (copy / file).write_bytes(content * 2)
    assert_answered(whole, copy)
    (copy / file).unlink()
    assert_answered(whole, copy)
