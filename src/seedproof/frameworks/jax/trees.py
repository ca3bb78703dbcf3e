"""The leaves of nested structures: their names, and which of two structures are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, List, Sequence, Tuple

import jax

from seedproof.frameworks.jax import flax as jax_flax

if TYPE_CHECKING:
    from seedproof.frameworks.jax.functions import Function

Subtree = Tuple[Any, int]  # its structure, and the place of its first leaf
Pairs = List[Tuple[int, int]]


def names_of_arguments(function: Function, arguments: Any) -> list[str]:
    """A name for each leaf of `(positional, named)`: `step/params/dense/kernel`, `step/image` …"""
    known = function.known and function.known.of_argument
    return [
        (known and known(path)) or _joined(function.name, *_of_argument(function, path))
        for path in _paths(arguments)
    ]


def _of_argument(function: Function, path: Sequence[Any]) -> Sequence[Any]:
    kind, first, *rest = path
    if kind == 0:
        names, beyond = function.arguments
        first = names[first] if first < len(names) else f"{beyond}{first - len(names)}"
    return first, *rest


def names_of_results(function: Function, result: Any) -> list[str]:
    """A name for each leaf of what a function has returned."""
    known = function.known and function.known.of_result
    return [
        (known and known(path)) or _joined(function.name, "returned", *path)
        for path in _paths(result)
    ]


def _joined(*path: Any) -> str:
    return "/".join(map(str, path))


def _paths(tree: Any) -> Iterator[Sequence[Any]]:
    """The keys that lead to each leaf."""
    flat, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=_is_taken_apart)
    for keys, leaf in flat:
        path = tuple(map(_plain, keys))
        for within in jax_flax.paths_within(leaf) or _paths_below(leaf):
            yield (*path, *within)


def _is_taken_apart(node: Any) -> bool:
    return hasattr(node, "graphdef")


def _paths_below(node: Any) -> Iterator[Sequence[Any]]:
    flat, _ = jax.tree_util.tree_flatten_with_path(node)
    return (tuple(map(_plain, keys)) for keys, _ in flat)


def _plain(key: Any) -> Any:
    for attribute in ("idx", "key", "name"):
        if hasattr(key, attribute):
            return getattr(key, attribute)
    return key


def pairs(
    taken: Any,
    taken_types: Sequence[Any],
    given: Any,
    given_types: Sequence[Any],
    within: Sequence[int],
) -> Pairs:
    """By place, the leaves of `taken` that have a counterpart in `given`, with it; only those
    `within` some places are considered.

    These are the largest parts of one structure that are found in the other with the same types:
    the parameters and the state of an optimizer, as a step takes them and returns them. A single
    number is no such part.
    """
    unused: dict[Any, list[int]] = {}
    for treedef, start in _subtrees(given, 0):
        unused.setdefault(_kind(treedef, start, given_types), []).append(start)
    used = set(range(given.num_leaves)).difference(within)
    return list(_pairs((taken, 0), taken_types, unused, used))


def _pairs(
    subtree: Subtree, types: Sequence[Any], unused: dict[Any, list[int]], used: set[int]
) -> Iterator[tuple[int, int]]:
    treedef, start = subtree
    for other in unused.get(_kind(treedef, start, types), ()) if _is_part(subtree, types) else ():
        places = range(other, other + treedef.num_leaves)
        if used.isdisjoint(places):
            used.update(places)
            yield from zip(range(start, start + treedef.num_leaves), places)
            return
    for child in _children(treedef, start):
        yield from _pairs(child, types, unused, used)


def _is_part(subtree: Subtree, types: Sequence[Any]) -> bool:
    treedef, start = subtree
    if not treedef.num_leaves:
        return False
    return treedef.num_leaves > 1 or bool(types[start][1])


def _kind(treedef: Any, start: int, types: Sequence[Any]) -> Any:
    return treedef, tuple(types[start : start + treedef.num_leaves])


def _subtrees(treedef: Any, start: int) -> Iterator[Subtree]:
    yield treedef, start
    for child in _children(treedef, start):
        yield from _subtrees(*child)


def _children(treedef: Any, start: int) -> Iterator[Subtree]:
    for child in treedef.children():
        yield child, start
        start += child.num_leaves


def places_of(treedef: Any, child: int | None) -> Sequence[int]:
    """The places of the leaves of a child, by its number; those of all leaves for None."""
    if child is None:
        return range(treedef.num_leaves)
    subtree, start = list(_children(treedef, 0))[child]
    return range(start, start + subtree.num_leaves)
