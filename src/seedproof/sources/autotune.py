"""Kernels that are chosen by a race at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedproof.sources.base import Source, Variable, confirmed, on_off

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _variables(on: bool) -> tuple[Variable, ...]:
    return (Variable("TF_CUDNN_USE_AUTOTUNE", str(int(on))),)


def _offer(launch: Launch, on: bool) -> Launch:
    """By the switches inside, and by the variable, which TensorFlow reads when it starts."""
    variables = {"TF_CUDNN_USE_AUTOTUNE": str(int(on))}
    return launch.with_environment(variables).with_offer("autotune", on)


SOURCE = Source(
    id="autotune",
    summary="libraries that time several kernels at run time and keep the one that won",
    explanation=(
        "cuDNN's benchmark mode and XLA's autotuning try several kernels on the first call and "
        "keep the fastest. Timings vary, so another kernel, with another order of additions, can "
        "win in the next run. On a CPU there is nothing to tune."
    ),
    fix=(
        "torch.backends.cudnn.benchmark = False, TF_CUDNN_USE_AUTOTUNE=0, "
        "XLA_FLAGS=--xla_gpu_autotune_level=0."
    ),
    links=(
        "https://docs.pytorch.org/docs/stable/notes/randomness.html#cuda-convolution-benchmarking",
    ),
    parse=on_off,
    pinned=lambda _seed, _threads: False,
    variables=_variables,
    variations=lambda: (False, True),
    offer=_offer,
    offered=confirmed("autotune"),
    by_variables=True,
)
