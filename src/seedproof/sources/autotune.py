"""Kernels that are chosen by a race at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from seedproof.sources.base import Source, Variable, on_off

if TYPE_CHECKING:
    from seedproof.launch import Launch


def _variables(on: bool) -> tuple[Variable, ...]:
    return (Variable("TF_CUDNN_USE_AUTOTUNE", str(int(on))),)


def _offer(launch: Launch, on: bool) -> Launch:
    return launch.with_environment({"TF_CUDNN_USE_AUTOTUNE": str(int(on))})


def _offered(hello: Mapping[str, Any]) -> bool | None:
    found = hello.get("variables", {}).get("TF_CUDNN_USE_AUTOTUNE")
    return None if found is None else found == "1"


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
    offered=_offered,
)
