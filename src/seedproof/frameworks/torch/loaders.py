"""DataLoaders: the batches that they yield, and the epochs that end with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from torch.utils import data

if TYPE_CHECKING:
    from seedproof.frameworks.torch.by_hand import ByHand
    from seedproof.frameworks.torch.inputs import Inputs
    from seedproof.frameworks.torch.training import Training

# Their lengths are asked for by their own iterators, so that asking has no effect of its own.
_COUNTED = {
    data.SequentialSampler,
    data.RandomSampler,
    data.SubsetRandomSampler,
    data.WeightedRandomSampler,
    data.distributed.DistributedSampler,
}


class Loaders:
    """Follows what comes out of the iterators of all DataLoaders of the process that trains.

    `ends_epochs` is false while something else says when an epoch ends.
    """

    def __init__(self, training: Training, inputs: Inputs, by_hand: ByHand) -> None:
        self._training = training
        self._by_hand = by_hand
        self._inputs = inputs
        self._updates_before: Any = WeakKeyDictionary()
        self._recent: Any = _nothing  # refers to an iterator
        self._batches: int | None = None  # that it has
        self.ends_epochs = True

    def begin(self) -> bool:
        """A batch is asked for; whether here is where it is trained on."""
        if not self._training.thread.is_here() or self._inputs.is_looked_at:
            return False
        self._inputs.is_looked_at = True  # a dataset may call modules to prepare its data
        return True

    def yielded(self, iterator: Any, batch: Any, trains: bool) -> None:
        """An iterator has given a batch: where no gradients are recorded, it only evaluates."""
        if self._recent() is not iterator:
            self._recent, self._batches = ref(iterator), _batches_of(iterator)
            self._updates_before.setdefault(iterator, self._training.recorder.step())
        self._training.points.ends_epoch = iterator._num_yielded == self._batches
        if trains and self._training.records_steps:
            self._inputs.batch(batch)

    def exhausted(self, iterator: Any) -> None:
        """An iterator has no more batches: the end of an epoch if updates were made of them."""
        self._by_hand.before_inputs()
        step = self._training.recorder.step()
        before = self._updates_before.pop(iterator, step)
        self._recent = _nothing  # the same iterator may begin anew
        self._training.rows.write_pending(step + 1)
        self._training.rows.training_is_left()
        if self.ends_epochs and step > before:
            if self._training.records_steps:
                self._training.points.generators(step)
            self._training.recorder.epoch_done()


def _nothing() -> None:
    """Refers to no iterator."""


def _batches_of(iterator: Any) -> int | None:
    """How many batches it gives, as far as that can be known."""
    sampler: Any = getattr(iterator, "_index_sampler", None)
    if type(sampler) is not data.BatchSampler or type(sampler.sampler) not in _COUNTED:
        return None
    return len(sampler)
