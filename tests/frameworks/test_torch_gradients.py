"""Gradients are looked at after the update only as long as they are seen to be left alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
gradients = pytest.importorskip("seedproof.frameworks.torch.gradients")
look = pytest.importorskip("seedproof.frameworks.torch.look").look


def looked_at_before(updates, touched_at=None):
    """The updates before which they are looked at, where that of number `touched_at` and those
    that follow overwrite them."""
    left, found = gradients.GradientsLeft(), []
    for update in range(updates):
        tensors = [torch.ones(3), None]
        if not left.are_looked_at_before():
            left.updated()
            continue
        found.append(update)
        before = look(tensors)
        if touched_at is not None and update >= touched_at:
            tensors[0].data.zero_()
        left.looked_at_before(before, tensors)
    return found


def test_at_first_and_then_each_time_that_their_number_has_doubled():
    assert looked_at_before(20) == [0, 1, 2, 4, 8, 16]


@pytest.mark.parametrize(("touched_at", "seen_at"), [(0, 0), (2, 2), (5, 8)])
def test_always_once_they_were_seen_to_be_overwritten(touched_at, seen_at):
    found = looked_at_before(12, touched_at)
    assert found == [at for at in (0, 1, 2, 4, 8) if at <= seen_at] + [*range(seen_at + 1, 12)]
