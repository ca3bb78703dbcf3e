"""Digests of PyTorch tensors where they lie, in PyTorch's own operations, for any device.

The same `ml64/1` as `seedproof.trace.digest`. Nothing is copied to the host, and nothing waits
for the device. Many operations on a device cost more than many bytes, so that what is small is
laid end to end: its products with the keys are summed up from the first to the last, and the sum
of a piece is the difference of two of these.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Iterator, NamedTuple, Sequence

import torch

from seedproof.frameworks.torch.digest import as_words, name_of, word_count, word_of
from seedproof.trace.digest import header
from seedproof.trace.keys import BLOCK, keys, signed, splitmix64

CHUNK_BLOCKS = 64  # multiplied at once, so that what is held for it stays small
FLAT_WORDS = 1 << 21  # laid end to end at once
_MOST_PLANS = 128


def device_digests(tensors: Sequence[Any]) -> Any:
    """The digests of dense strided tensors of one device, as an int64 vector on it."""
    device = tensors[0].device
    signature = tuple([(tensor.dtype, tensor.shape) for tensor in tensors])
    plan = _plans.get((device, signature))
    if plan is None:
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        plan = _plans[device, signature] = _Plan(signature, device)
    return plan.fold.bodies([as_words(one, word_of(one.dtype)) for one in tensors]) + plan.headers


class _Plan:
    """How tensors of these dtypes and shapes are digested on this device."""

    def __init__(self, signature: Sequence[Any], device: Any) -> None:
        headers = [signed(header(name_of(dtype), shape)) for dtype, shape in signature]
        self.headers = torch.tensor(headers, dtype=torch.int64, device=device)
        self.fold = _Fold([word_count(dtype, shape) for dtype, shape in signature], device)


_plans: dict[Any, _Plan] = {}


class _Piece(NamedTuple):
    """Words `start` to `end` of row `row`; `number` counts the blocks before it in its row."""

    row: int
    number: int
    start: int
    end: int


class _Fold:
    """Rows of so many words: each block of a row gives a sum, and a row of several blocks is
    folded again, from its sums."""

    def __init__(self, counts: Sequence[int], device: Any) -> None:
        self._device = device
        self._whole = [(row, n // BLOCK) for row, n in enumerate(counts) if n > BLOCK]
        self._flat = list(_chunks(_partial_blocks(counts)))
        # On the device from now on: what is sent there later has the host wait for it.
        self._last = [_index(_last_words(chunk), device) for chunk in self._flat]
        self._empty = [row for row, count in enumerate(counts) if count == 0]
        self._order = _index(_natural_order(list(self._places())), device)
        sums = [max(1, -(-count // BLOCK)) for count in counts]
        starts = [0, *accumulate(sums)]
        several = [row for row, n in enumerate(sums) if n > 1]
        self._several = [slice(starts[row], starts[row + 1]) for row in several]
        self._next = _Fold([2 * sums[row] for row in several], device) if several else None
        folded = {row: starts[-1] + at for at, row in enumerate(several)}
        bodies = [folded.get(row, starts[row]) for row in range(len(counts))]
        self._bodies = _index(bodies, device)

    def _places(self) -> Iterator[tuple[int, int]]:
        """Row and number of each block, in the order in which `_sums` finds them."""
        for row, blocks in self._whole:
            yield from ((row, number) for number in range(blocks))
        for chunk in self._flat:
            yield from ((piece.row, piece.number) for piece in chunk)
        yield from ((row, 0) for row in self._empty)

    def bodies(self, rows: Sequence[Any]) -> Any:
        """One sum for each row, as an int64 vector."""
        sums = torch.cat(list(self._sums(rows))).index_select(0, self._order)
        if self._next is None:
            return sums
        folded = self._next.bodies([sums[part].view(torch.int32) for part in self._several])
        return torch.cat([sums, folded]).index_select(0, self._bodies)

    def _sums(self, rows: Sequence[Any]) -> Iterator[Any]:
        position_keys = _keys(self._device)
        for row, blocks in self._whole:
            yield _sums_of_blocks(rows[row], blocks, position_keys)
        for chunk, last in zip(self._flat, self._last):
            yield _sums_of_pieces(rows, chunk, last, position_keys)
        yield torch.zeros(len(self._empty), dtype=torch.int64, device=self._device)


def _partial_blocks(counts: Sequence[int]) -> Iterator[_Piece]:
    """The rows of one block at most, and what the others have left over."""
    for row, count in enumerate(counts):
        blocks = count // BLOCK if count > BLOCK else 0
        if count > blocks * BLOCK:
            yield _Piece(row, blocks, blocks * BLOCK, count)


def _chunks(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    chunk: list[_Piece] = []
    words = 0
    for piece in pieces:
        length = piece.end - piece.start
        if chunk and words + length > FLAT_WORDS:
            yield chunk
            chunk, words = [], 0
        chunk.append(piece)
        words += length
    if chunk:
        yield chunk


def _natural_order(places: Sequence[Any]) -> list[int]:
    return sorted(range(len(places)), key=places.__getitem__)


def _index(places: Sequence[int], device: Any) -> Any:
    return torch.tensor(places, dtype=torch.int64, device=device)


def _sums_of_blocks(row: Any, blocks: int, position_keys: Any) -> Any:
    sums = torch.empty(blocks, dtype=torch.int64, device=row.device)
    for first in range(0, blocks, CHUNK_BLOCKS):
        last = min(blocks, first + CHUNK_BLOCKS)
        words = row[first * BLOCK : last * BLOCK].view(-1, BLOCK)
        torch.sum(words * position_keys, 1, out=sums[first:last])
    return sums


def _last_words(pieces: Sequence[_Piece]) -> list[int]:
    """Where each piece ends, when they are laid end to end."""
    return [end - 1 for end in accumulate(piece.end - piece.start for piece in pieces)]


def _sums_of_pieces(
    rows: Sequence[Any], pieces: Sequence[_Piece], last: Any, position_keys: Any
) -> Any:
    words = torch.cat([rows[piece.row][piece.start : piece.end] for piece in pieces])
    products = words * torch.cat([position_keys[: piece.end - piece.start] for piece in pieces])
    totals = products.cumsum(0)[last]
    return torch.diff(totals, prepend=totals.new_zeros(1))


def _keys(device: Any) -> Any:
    if device not in _key_cache:
        _key_cache[device] = torch.tensor(_key_list(), dtype=torch.int64).to(device)
    return _key_cache[device]


_key_cache: dict[Any, Any] = {}


def _key_list() -> list[int]:
    try:
        found: list[int] = keys(BLOCK).tolist()
    except ImportError:  # PyTorch does without NumPy
        found = [signed(splitmix64(at)) for at in range(BLOCK)]
    return found
