"""The names of what an inert pickle holds: `optimizer.state.0.exp_avg`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from seedproof.compare.files.content import UnreadableError
from seedproof.compare.files.pickled import Global, Made, Pairs

_DEEPEST = 100
_MOST_VISITS = 300_000

# Where a module keeps its parts is not part of the names by which one knows them.
_UNNAMED = ("_modules", "_parameters", "_buffers")
_MADE_OF_A_SEQUENCE = ("torch.Size", "__builtin__.set", "builtins.set", "builtins.frozenset")


class Leaves:
    """By name, what an object as `inert` made it is composed of; iterating yields each once.

    `is_leaf` says what is not taken apart. What refers to itself is left at the second meeting,
    what is shared is met under each of its names.
    """

    def __init__(self, whole: Any, is_leaf: Callable[[Any], bool]) -> None:
        self._whole = whole
        self._is_leaf = is_leaf
        self._open: set[int] = set()
        self._visits = 0

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return self._under((), self._whole)

    def _under(self, path: tuple[str, ...], node: Any) -> Iterator[tuple[str, Any]]:
        self._visits += 1
        if self._visits > _MOST_VISITS or len(self._open) > _DEEPEST:
            raise UnreadableError("its pickle holds too much, or is nested too deeply")
        if self._is_leaf(node) or not isinstance(node, list | tuple | Made):
            yield ".".join(path), node
        elif id(node) not in self._open:
            self._open.add(id(node))
            for name, part in _parts(node):
                yield from self._under(path if name in _UNNAMED else (*path, name), part)
            self._open.remove(id(node))


def _parts(node: list[Any] | tuple[Any, ...] | Made) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Pairs):
        yield from ((_key(key, at), value) for at, (key, value) in enumerate(node))
    elif isinstance(node, Made):
        yield from _parts_of_made(node)
    else:
        yield from ((str(at), part) for at, part in enumerate(node))


def _parts_of_made(node: Made) -> Iterator[tuple[str, Any]]:
    arguments = node.arguments if isinstance(node.arguments, tuple) else (node.arguments,)
    of_a_sequence = isinstance(node.by, Global) and node.by.name in _MADE_OF_A_SEQUENCE
    if of_a_sequence and arguments and isinstance(arguments[0], list | tuple):
        arguments = tuple(arguments[0])
    yield from _parts((*arguments, *node.items))
    yield from _parts(node.pairs)
    if isinstance(node.state, Pairs):
        yield from _parts(node.state)
    elif node.state is not None:
        yield "state", node.state


def _key(key: Any, at: int) -> str:
    plain = isinstance(key, str | int | float | bool) or key is None
    return str(key) if plain and not _is_huge(key) else f"key{at}"


def _is_huge(key: Any) -> bool:
    """A number whose decimal digits Python refuses to write."""
    return isinstance(key, int) and key.bit_length() > 1000
