"""Where the user's code was seen to use a source, in words: "train.py:37 reads the clock"."""

from __future__ import annotations

import ast
import os
from typing import Any, Iterator, Mapping

from seedproof.sources import CATALOGUE

_WITHOUT_ORDER = ("sorted", "len", "min", "max", "any", "all")


def in_words(used: Mapping[str, Any]) -> str:
    """What an event `used` says, of a source of the catalogue that says how it is used."""
    return f"{os.path.basename(used['file'])}:{used['line']} {CATALOGUE[used['source']].used}"


def matters(used: Mapping[str, Any], text: str) -> bool:
    """Whether that use can change a result, as far as the text of its file tells: a listing that
    is sorted at once, or counted, cannot."""
    if used["source"] != "file_order":
        return True
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return True
    return not _loses_order(tree, used["line"])


def _loses_order(tree: ast.AST, line: int) -> bool:
    """Whether what is called in this line goes to a function that makes nothing of its order, or
    to a name that is sorted later."""
    there = [node for node in ast.walk(tree) if _is_in(node, line)]
    if any(_called(node) in _WITHOUT_ORDER for node in there):
        return True
    names = {name for node in there for name in _assigned(node)}
    return any(_sorts(node, names) for node in ast.walk(tree))


def _is_in(node: ast.AST, line: int) -> bool:
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    return isinstance(first, int) and isinstance(last, int) and first <= line <= last


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _assigned(node: ast.AST) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else ():
        if isinstance(target, ast.Name):
            yield target.id


def _sorts(node: ast.AST, names: set[str]) -> bool:
    """`name.sort()` or `sorted(name)`."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
        return isinstance(node.func.value, ast.Name) and node.func.value.id in names
    given = [one.id for one in node.args if isinstance(one, ast.Name)]
    return _called(node) == "sorted" and bool(names.intersection(given))
