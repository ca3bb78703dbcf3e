"""Gradients wait for the update only as long as they are seen to be left alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
gradients = pytest.importorskip("seedproof.frameworks.torch.gradients")
known = pytest.importorskip("seedproof.frameworks.torch.found").known
look = pytest.importorskip("seedproof.frameworks.torch.look")


class Optimizer:
    """Updates whose gradients `touch` may alter; which waited, and what was said of them."""

    def __init__(self):
        self.left = gradients.GradientsLeft()
        self.waited, self.lost, self.words = [], [], []

    def update(self, touch=lambda tensors: tensors):
        tensors = [torch.full((3,), len(self.waited) + 1.0), None]
        self.waited.append(self.left.may_wait())
        received = gradients.Gradients(tensors, self.left)
        right = known(look.look(tensors))
        now = touch(list(tensors))
        words = received.after_update(now)
        self.lost.append(received.are_lost)
        self.words.append(known(look.look(now) if words is None else words))
        return self.words[-1] == right


def overwrite(tensors):
    tensors[0].zero_()
    return tensors


def overwrite_unsaid(tensors):
    tensors[0].data.zero_()
    return tensors


def take(tensors):
    return [None, None]


def give_back(tensors):
    tensors[0].untyped_storage().resize_(0)
    return tensors


def test_the_first_do_not_wait_nor_do_those_by_which_their_number_has_doubled():
    optimizer = Optimizer()
    assert all(optimizer.update() for _ in range(20))
    assert [at for at, waits in enumerate(optimizer.waited) if not waits] == [0, 1, 2, 4, 8, 16]


@pytest.mark.parametrize("touch", [overwrite, overwrite_unsaid, take, give_back])
def test_where_they_are_altered_at_first_they_never_wait(touch):
    optimizer = Optimizer()
    assert all(optimizer.update(touch) for _ in range(8))
    assert not any(optimizer.waited)


@pytest.mark.parametrize("touch", [overwrite, take])
def test_where_they_are_altered_later_that_is_seen_and_they_are_said_to_be_lost_once(touch):
    optimizer = Optimizer()
    right = [optimizer.update(touch if at >= 5 else lambda tensors: tensors) for at in range(9)]
    assert right == [True] * 5 + [False] + [True] * 3
    assert optimizer.lost == [at == 5 for at in range(9)]
    assert optimizer.words[5] == [look.NOTHING] * 2
    assert not any(optimizer.waited[6:])


def test_what_nobody_is_told_of_is_seen_when_they_are_compared_next():
    optimizer = Optimizer()
    right = [
        optimizer.update(overwrite_unsaid if at >= 5 else lambda tensors: tensors)
        for at in range(12)
    ]
    assert right == [at not in (5, 6, 7) for at in range(12)]
