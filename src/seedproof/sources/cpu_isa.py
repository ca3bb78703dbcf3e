"""The instruction sets of the processor."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from seedproof.sources.base import Source, Variable, confirmed, one_of

if TYPE_CHECKING:
    from seedproof.launch import Launch

# By level: what each library calls the highest that it may use.
_CAPS = {
    "sse4": ("default", "SSE41", "COMPATIBLE", "Nehalem"),
    "avx2": ("avx2", "AVX2", "AVX2", "Haswell"),
    "avx512": ("avx512", "AVX512_CORE", "AVX512", "SkylakeX"),
}
_X86 = ("x86_64", "AMD64", "i686")


def _variables(level: str) -> tuple[Variable, ...]:
    aten, onednn, mkl, openblas = _CAPS[level]
    if platform.machine() not in _X86:
        return (Variable("ATEN_CPU_CAPABILITY", "default"),)
    return (
        Variable("ATEN_CPU_CAPABILITY", aten),
        Variable("ONEDNN_MAX_CPU_ISA", onednn),
        Variable("DNNL_MAX_CPU_ISA", onednn),
        Variable("TF_ENABLE_ONEDNN_OPTS", "0"),
        Variable("MKL_CBWR", mkl),
        Variable("OPENBLAS_CORETYPE", openblas),
    )


def _offer(launch: Launch, level: str) -> Launch:
    found = {variable.name: variable.value for variable in _variables(level)}
    return launch.with_environment(found).with_offer("cpu_isa", level)


SOURCE = Source(
    id="cpu_isa",
    summary="the instruction sets of the processor, by which libraries choose their kernels",
    explanation=(
        "Libraries bring a kernel for each generation of processors and take the best that the "
        "machine can run. Vectors of another width add in another order, and fused "
        "multiplication rounds once less, so another processor gives other bits. Each library "
        "has a switch of its own, and one alone is not enough: the pin sets those of PyTorch, "
        "oneDNN, MKL, OpenBLAS, XLA and NumPy to what nearly every x86-64 processor can "
        "(sse4). Kernels that were compiled into a library once for all are the same everywhere."
    ),
    fix=(
        "Cap the instruction set where bits must agree between machines (--policy portable), and "
        "accept that it is slower."
    ),
    links=(
        "https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html",
        "https://numpy.org/doc/stable/reference/simd/build-options.html",
        "https://github.com/pytorch/pytorch/issues/155552",
    ),
    parse=one_of("sse4", "avx2", "avx512"),
    pinned=lambda _seed, _threads: "sse4",
    variables=_variables,
    variations=lambda: ("sse4", "avx2", "avx512"),
    offer=_offer,
    offered=confirmed("cpu_isa"),
    before_start=True,
    by_variables=True,
)
