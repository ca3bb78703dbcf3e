"""The digests of the leaves of a call, found where the leaves lie."""

from __future__ import annotations

from typing import Any, Sequence, Union

import numpy as np

from seedproof.frameworks.jax import copies as jax_copies
from seedproof.frameworks.jax import digest as jax_digest
from seedproof.frameworks.jax import values as jax_values
from seedproof.frameworks.jax.device_digest import Late
from seedproof.frameworks.jax.device_digest import digests as _of_device
from seedproof.frameworks.jax.values import (
    ARRAY,
    HOST,
    SCALAR,
    all_on_cpu,
    is_in_one_place,
    kinds_of,
    name_of,
)
from seedproof.inside import leaves as plain_leaves
from seedproof.trace.digest import digest_array


class Joined:
    """The digest of an array that lies on several devices, from those of its parts."""

    def __init__(self, parts: Sequence[Word]) -> None:
        self._parts = parts

    def is_there(self) -> bool:
        """Whether asking for it does not wait."""
        return all(map(is_there, self._parts))

    def __int__(self) -> int:
        return digest_array(np.array(list(map(int, self._parts)), np.uint64))


Word = Union[int, Late, Joined]


def is_there(word: Word) -> bool:
    """Whether a digest is known, or can be had without waiting."""
    return isinstance(word, int) or word.is_there()


def look(leaves: Sequence[Any]) -> list[Word]:
    """The digest of each leaf; the leaves are values of any kind."""
    found: dict[int, Word] = {}
    arrays: list[Any] = list(leaves)
    on_host: list[int] = []
    on_cpu: list[int] = []
    on_device: list[int] = []
    for at, (leaf, kind) in enumerate(zip(leaves, kinds_of(leaves))):
        if kind == SCALAR:
            found[at] = plain_leaves.flatten("", leaf)[0].digest
        elif kind == HOST:
            on_host.append(at)
        else:
            array = arrays[at] = leaf if kind == ARRAY else jax_values.plain(leaf, kind)
            if not is_in_one_place(array):
                found[at] = _joined(look(jax_values.parts_here(array)))
            else:
                (on_cpu if lies_on_cpu(array) else on_device).append(at)
    ways: Any = (jax_digest.digests, on_host), (_of_cpu, on_cpu), (_of_device, on_device)
    for digests, places in ways:
        if places:
            dtypes = [name_of(leaves[at].dtype) for at in places]
            found.update(zip(places, digests([arrays[at] for at in places], dtypes)))
    return [found[at] for at in range(len(leaves))]


def _joined(parts: Sequence[Word]) -> Word:
    return parts[0] if len(parts) == 1 else Joined(parts)


def _of_cpu(arrays: Sequence[Any], dtypes: Sequence[str]) -> Sequence[Word]:
    signature = jax_digest.signature_of(arrays, dtypes)
    if jax_copies.are_worth_it(signature):
        return jax_copies.digests(arrays, signature)
    return jax_digest.digests([jax_values.to_host(array) for array in arrays], dtypes)


def lies_on_cpu(array: Any) -> bool:
    """Whether NumPy can read an array of JAX where it lies."""
    return all_on_cpu() or all(device.platform == "cpu" for device in array.devices())
