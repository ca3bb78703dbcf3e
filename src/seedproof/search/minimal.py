"""The least that is needed of a set: QuickXplain (Junker, "QuickXplain: preferred explanations and
relaxations for over-constrained problems", 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Test = Callable[[Sequence[str]], bool]


def minimal(candidates: Sequence[str], suffices: Test) -> list[str]:
    """A minimal part of `candidates` that suffices, which all of them together do.

    What stands first is preferred. `suffices` is asked about as many times as the logarithm of
    the number of candidates, for each one that is needed.
    """
    return _needed([], False, list(candidates), suffices)


def _needed(
    given: list[str], something_was_added: bool, candidates: list[str], suffices: Test
) -> list[str]:
    if something_was_added and suffices(given):
        return []
    if len(candidates) == 1:
        return candidates
    half = (len(candidates) + 1) // 2
    first, second = candidates[:half], candidates[half:]
    of_second = _needed([*given, *first], True, second, suffices)
    of_first = _needed([*given, *of_second], bool(of_second), first, suffices)
    return [*of_first, *of_second]
