"""`cpu_isa`: each library's kernels are capped, and what came of it is told."""

from __future__ import annotations

import os
import platform

import pytest
from pinned_runs import run

from seedproof.launch import Launch
from seedproof.sources import CATALOGUE

numpy = pytest.importorskip("numpy")
SOURCE = CATALOGUE["cpu_isa"]
x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="no x86")
LEVEL = "import numpy\nfrom seedproof.frameworks.numpy import instruction_level\n"
LEVEL += "print(instruction_level())"


def variables(level: str) -> dict[str, str]:
    launch = SOURCE.pin(Launch(("python",), "/project"), level)
    return dict(launch.environment)


@x86
def test_numpy_is_capped_under_the_names_of_its_own_version(tmp_path):
    ran = run(tmp_path, LEVEL, "-W", "error", pins={"cpu_isa": "sse4"})
    assert (ran.lines, ran.missed()) == (["sse4"], [])


@x86
def test_other_kernels_give_other_bits(tmp_path):
    """The twin: otherwise the cap would be for nothing."""
    script = LEVEL + "\nprint(numpy.exp(numpy.linspace(0, 1, 999, dtype='f4')).tobytes())"
    capped = run(tmp_path, script, pins={"cpu_isa": "sse4"}).lines
    own = run(tmp_path, script).lines
    if own[0] == "sse4":
        pytest.skip("this processor has no other kernels")
    assert capped[1] != own[1]


@x86
def test_a_level_that_the_processor_has_not_is_said_to_be_missed(tmp_path):
    (own,) = run(tmp_path, LEVEL).lines
    if own == "avx512":
        pytest.skip("this processor has every level")
    ran = run(tmp_path, LEVEL, offers={"cpu_isa": "avx512"})
    assert ran.missed()


@x86
def test_the_users_own_cap_of_numpy_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "")
    ran = run(tmp_path, "import os, numpy\nprint(os.environ['NPY_DISABLE_CPU_FEATURES'])",
              pins={"cpu_isa": "avx512"})  # fmt: skip
    assert ran.lines == [""]


@x86
def test_pytorch_is_capped_and_tells(tmp_path):
    pytest.importorskip("torch")
    os.environ.update(ATEN_CPU_CAPABILITY="default")
    try:
        ran = run(tmp_path, "import torch", pins={"cpu_isa": "sse4"})
    finally:
        del os.environ["ATEN_CPU_CAPABILITY"]
    told = {one["framework"]: one["set"] for one in ran.trace.all("pinned")}
    assert told["torch"] == ["PyTorch's kernels for sse4"]
    assert run(tmp_path, "import torch", pins={"cpu_isa": "avx2"}).trace.all("pinned")


@x86
def test_every_library_has_its_switch():
    names = "ATEN_CPU_CAPABILITY ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA TF_ENABLE_ONEDNN_OPTS MKL_CBWR"
    assert variables("sse4").keys() == {*names.split(), "OPENBLAS_CORETYPE"}
    assert variables("avx2") != variables("avx512")


def test_another_kind_of_processor_has_no_such_levels(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert variables("sse4") == {"ATEN_CPU_CAPABILITY": "default"}
