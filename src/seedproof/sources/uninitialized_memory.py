"""What stands in memory that nobody has written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.launch import Value
from seedproof.sources.base import Source, Variable, confirmed, whole_number

if TYPE_CHECKING:
    from seedproof.launch import Launch

_FRAMEWORKS = "frameworks"
_BYTE = whole_number(0, 254)
_VARIABLE = "MALLOC_PERTURB_"  # of glibc, which writes the complement


def _parse(text: str) -> Value:
    if text == _FRAMEWORKS:
        return text
    try:
        return _BYTE(text)
    except ValueError as error:
        raise ValueError(f"{_FRAMEWORKS} or {error}") from None


def _variables(filled: Value) -> tuple[Variable, ...]:
    return () if filled == _FRAMEWORKS else (Variable(_VARIABLE, str(filled ^ 0xFF)),)


def _offer(launch: Launch, filled: Value) -> Launch:
    found = {variable.name: variable.value for variable in _variables(filled)}
    return launch.with_environment(found).with_offer("uninitialized_memory", filled)


SOURCE = Source(
    id="uninitialized_memory",
    summary="what happens to stand in memory that was asked for and never written",
    explanation=(
        "torch.empty and numpy.empty give memory as it is, with whatever was in it before. Code "
        "that reads a part which it never wrote computes with chance. Policies let PyTorch fill "
        "such memory, which it does together with op_determinism ('frameworks'). With a number "
        "the C library fills all that it hands out with that byte (Linux, glibc), NumPy's "
        "smallest arrays and GPUs excepted: a strong pin, and a variation that shows the fault."
    ),
    fix=(
        "Use zeros instead of empty where not every element is written at once. Where no empty "
        "of yours is at fault, report the kernel."
    ),
    links=(
        "https://docs.pytorch.org/docs/stable/deterministic.html",
        "https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html",
        "https://github.com/pytorch/pytorch/issues/193317",
    ),
    parse=_parse,
    pinned=lambda _seed, _threads: _FRAMEWORKS,
    variables=_variables,
    variations=lambda: (0, 63, 191),
    offer=_offer,
    offered=confirmed("uninitialized_memory"),
    strict=0,
    by_variables=True,
)
