"""Writes docs/causes.md from the corpus: python examples/make_causes.py"""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src"))

from seedproof.sources import CATALOGUE  # noqa: E402

PAGE = HERE.parent / "docs" / "causes.md"
STYLES = {
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
    "numpy": "NumPy",
}
VARIED = " (where it is varied)"
WITHOUT_EXAMPLE = {
    "cpu_isa": "two runs on one machine have the same processor; `--vary cpu_isa` asks for another",
    "autotune": "only libraries for GPUs time their kernels",
}

_BEGINNING = """# What makes a training not repeat

One short training script per cause, and beside it the twin in which that one thing is mended.
`seedproof explain faulty.py` finds the cause and proves it; `seedproof check mended.py` gives
`identical`. Causes marked *varied* do not part two runs on one machine; `explain` finds them by
changing what a second machine or another day would change.

This page is made from [examples/causes](../examples/causes) by `python examples/make_causes.py`.

| cause | what happens | with |
|---|---|---|
"""


@dataclass(frozen=True)
class Example:
    """One script and its twin; `varied` tells that it has to be varied to strike."""

    place: Path
    source: str
    varied: bool

    @property
    def name(self) -> str:
        """Of its directory."""
        return self.place.name

    @property
    def what(self) -> str:
        """What happens to whom."""
        return _docstring(self.place / "faulty.py").split("\n")[0]

    @property
    def mended(self) -> str:
        """What the twin does instead."""
        return _docstring(self.place / "mended.py")

    @property
    def style(self) -> str:
        """What it trains with, the module whose import stands first in STYLES."""
        tree = ast.parse((self.place / "faulty.py").read_text("utf-8"))
        imports = (
            node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
        )
        found = {name.partition(".")[0] for node in imports for name in _imported(node)}
        return next(module for module in STYLES if module in found)

    def change(self) -> list[str]:
        """The lines that differ, and those around them."""
        ours, theirs = (_code(self.place / name) for name in ("faulty.py", "mended.py"))
        return list(difflib.unified_diff(ours, theirs, lineterm="", n=2))[2:]


def corpus() -> list[Example]:
    """All examples, in the order of the catalogue."""
    found = [_example(path.parent) for path in sorted((HERE / "causes").glob("*/faulty.py"))]
    order = list(CATALOGUE)
    return sorted(found, key=lambda example: (order.index(example.source), example.name))


def page() -> str:
    """The page's text."""
    return _BEGINNING + "\n".join(_rows()) + "\n\n" + "\n".join(_sections())


def _rows() -> Iterator[str]:
    for example in corpus():
        varied = ", *varied*" if example.varied else ""
        link = f"[{example.source}](#{example.source})"
        yield f"| {link}{varied} | {example.what} | {STYLES[example.style]} |"


def _sections() -> Iterator[str]:
    for name, source in CATALOGUE.items():
        yield f"## {name}\n\n{source.explanation}\n\n**Fix:** {source.fix}\n"
        if name in WITHOUT_EXAMPLE:
            yield f"There is no example: {WITHOUT_EXAMPLE[name]}.\n"
        for example in corpus():
            if example.source == name:
                yield _shown(example)


def _shown(example: Example) -> str:
    code = "\n".join(line if not line.startswith("@@") else "" for line in example.change()).strip(
        "\n"
    )
    link = f"[{example.name}](../examples/causes/{example.name})"
    return f"{link}: {example.what}\n{example.mended}\n\n```diff\n{code}\n```\n"


def _example(place: Path) -> Example:
    lines = _docstring(place / "faulty.py").split("\n")
    (cause,) = (line.removeprefix("Cause: ") for line in lines if line.startswith("Cause: "))
    return Example(place, cause.removesuffix(VARIED), cause.endswith(VARIED))


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _code(path: Path) -> list[str]:
    """What stands below the docstring."""
    return path.read_text("utf-8").split('"""', 2)[2].strip("\n").split("\n")


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
