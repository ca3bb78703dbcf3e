"""Whether a launch finds an accelerator."""

from __future__ import annotations

import pytest

from seedproof.runner.accelerator import accelerator_visible


@pytest.fixture
def devices(tmp_path):
    """A machine with one device of NVIDIA's, which has a control device beside it, and no other."""
    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidiactl").touch()
    return {
        "CUDA_VISIBLE_DEVICES": str(tmp_path / "nvidia[0-9]*"),
        "HIP_VISIBLE_DEVICES": str(tmp_path / "kfd"),
    }


@pytest.mark.parametrize("mask", [{}, {"CUDA_VISIBLE_DEVICES": "0"}, {"HIP_VISIBLE_DEVICES": ""}])
def test_a_device_is_visible_unless_its_own_variable_hides_it(devices, mask):
    assert accelerator_visible(mask, devices)


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_device_can_be_hidden(devices, hidden):
    assert not accelerator_visible({"CUDA_VISIBLE_DEVICES": hidden}, devices)


def test_without_a_device_none_is_visible(devices, tmp_path):
    (tmp_path / "nvidia0").unlink()
    assert not accelerator_visible({"CUDA_VISIBLE_DEVICES": "0"}, devices)


def test_every_kind_of_device_counts(devices, tmp_path):
    (tmp_path / "kfd").touch()
    assert accelerator_visible({"CUDA_VISIBLE_DEVICES": ""}, devices)
