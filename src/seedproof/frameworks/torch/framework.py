"""PyTorch: seeds, threads, deterministic algorithms, no autotuning; its training steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from seedproof.frameworks.base import Done
from seedproof.frameworks.torch.pins import TorchPins

if TYPE_CHECKING:
    from seedproof.inside.recorder import Recorder


class Torch(TorchPins):
    """The switches are global and may be set at any time before the operations that they govern."""

    name = "torch"

    def version(self) -> str:
        return str(torch.__version__)

    def pin_seeds(self, seed: int) -> Done:
        torch.manual_seed(seed)
        return Done(set=(f"torch.manual_seed({seed})",))

    def pin_num_threads(self, threads: int) -> Done:
        torch.set_num_threads(threads)
        done = [f"torch.set_num_threads({threads})"]
        try:
            torch.set_num_interop_threads(threads)
        except RuntimeError:
            if torch.get_num_interop_threads() != threads:
                return Done(tuple(done), (_interop_missed(threads),))
        return Done((*done, f"torch.set_num_interop_threads({threads})"))

    def pin_op_determinism(self, on: bool) -> Done:
        torch.use_deterministic_algorithms(on)
        torch.backends.cudnn.deterministic = on
        done = ["torch.use_deterministic_algorithms", "torch.backends.cudnn.deterministic"]
        if hasattr(torch.backends, "mkldnn") and hasattr(torch.backends.mkldnn, "deterministic"):
            torch.backends.mkldnn.deterministic = on
            done.append("torch.backends.mkldnn.deterministic")
        if torch.cuda.is_initialized() and "CUBLAS_WORKSPACE_CONFIG" not in os.environ:
            return Done(
                tuple(done),
                ("cuBLAS has started without CUBLAS_WORKSPACE_CONFIG=:4096:8: set it before",),
            )
        return Done(tuple(f"{name} = {on}" for name in done))

    def pin_autotune(self, on: bool) -> Done:
        torch.backends.cudnn.benchmark = on
        return Done(set=(f"torch.backends.cudnn.benchmark = {on}",))

    def effective(self) -> dict[str, Any]:
        return {"num_threads": torch.get_num_threads()}

    def observe(self, recorder: Recorder) -> None:
        from seedproof.frameworks.torch import observer as torch_observer

        torch_observer.observe(recorder)


def _interop_missed(threads: int) -> str:
    return (
        f"the inter-op threads of PyTorch ({torch.get_num_interop_threads()}): they are fixed once "
        f"it has run in parallel. Call this first thing in the program, for {threads}"
    )


FRAMEWORK = Torch()
