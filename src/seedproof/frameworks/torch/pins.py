"""PyTorch's part in what is pinned beside seeds, threads and operations."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch

from seedproof.frameworks.base import Done, Framework

_LEVELS = {"DEFAULT": "sse4", "AVX2": "avx2", "AVX512": "avx512"}


class TorchPins(Framework):
    """To be inherited by the framework itself."""

    def pin_entropy(self, seed: int) -> Done:
        """`torch.seed()` takes a seed from the system in C++."""
        self.note()
        return Done(set=(f"torch.seed() of the script's own calls, from {seed}",))

    def note(self) -> None:
        original = torch.random.seed
        if not hasattr(original, "__wrapped__"):
            torch.seed = torch.random.seed = _seed_in_place_of(original)

    def pin_data_order(self, kept: bool) -> Done:
        """Batches of workers in order; what they draw comes from the seed of the loader."""
        loader = torch.utils.data.DataLoader
        if "in_order" not in inspect.signature(loader.__init__).parameters:
            return Done(set=("torch.utils.data.DataLoader, which keeps the order",) if kept else ())
        _force_order(loader, kept)
        return Done(set=(f"torch.utils.data.DataLoader(in_order={kept})",))

    def pin_uninitialized_memory(self, filled: object) -> Done:
        """PyTorch fills what it hands out, where it must be deterministic."""
        if not hasattr(torch.utils, "deterministic"):
            return Done(missed=("memory that PyTorch hands out: it is filled from 2.2 on",))
        torch.utils.deterministic.fill_uninitialized_memory = True
        done = "torch.utils.deterministic.fill_uninitialized_memory = True"
        if torch.are_deterministic_algorithms_enabled() or isinstance(filled, int):
            return Done(set=(done,))
        return Done((done,), ("memory that PyTorch hands out: it is filled with op_determinism",))

    def vary_uninitialized_memory(self, filled: object) -> None:
        """The C library alone tells."""

    def vary_autotune(self, on: bool) -> Done:
        """There is something to tune where cuDNN is."""
        if not torch.backends.cudnn.is_available():
            return Done(missed=("cuDNN, which tunes itself: it is not there",))
        torch.backends.cudnn.benchmark = on
        return Done(set=(f"torch.backends.cudnn.benchmark = {on}",))

    def pin_cpu_isa(self, level: str) -> Done | None:
        """The variable has been read when PyTorch was loaded; tells what came of it."""
        told = getattr(getattr(torch.backends, "cpu", None), "get_cpu_capability", None)
        found = _LEVELS.get(told()) if told is not None else None
        if found is None:
            return None
        if found == level:
            return Done(set=(f"PyTorch's kernels for {level}",))
        return Done(missed=(f"PyTorch's kernels: they are for {found}, not for {level}",))


def _seed_in_place_of(original: Any) -> Any:
    from seedproof.inside.pins import entropy

    @functools.wraps(original)
    def seed() -> int:
        found = entropy.number(63, "torch")
        if found is None:
            return int(original())
        torch.manual_seed(found)
        return found

    return seed


def _has_workers(
    _dataset: Any = None,
    _batch_size: Any = None,
    _shuffle: Any = None,
    _sampler: Any = None,
    _batch_sampler: Any = None,
    num_workers: int = 0,
    *_more: Any,
    **_named: Any,
) -> bool:
    return bool(num_workers)


def _force_order(loader: Any, kept: bool) -> None:
    """In the constructor, which sees the script's own wish last."""
    original = getattr(loader.__init__, "__seedproof_original__", loader.__init__)

    @functools.wraps(original)
    def init(self: Any, *arguments: Any, **named: Any) -> None:
        if _has_workers(*arguments, **named):
            named["in_order"] = kept
        original(self, *arguments, **named)

    init.__seedproof_original__ = original  # type: ignore[attr-defined]
    loader.__init__ = init
