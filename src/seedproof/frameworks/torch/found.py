"""Digests that have been asked for: the words themselves, or what will give them."""

from __future__ import annotations

from typing import List, Union


class Found:
    """Words that a device computes, on their way to the host."""

    def is_there(self) -> bool:
        """Whether all have come; never waits."""
        raise NotImplementedError

    def words(self) -> list[int]:
        """All of them, unsigned; waits for those that are still on their way."""
        raise NotImplementedError


Words = Union[List[int], Found]  # the digests in the order of their tensors, unsigned


def known(words: Words) -> list[int]:
    """The words themselves; waits for those that are still on their way."""
    return words.words() if isinstance(words, Found) else words
