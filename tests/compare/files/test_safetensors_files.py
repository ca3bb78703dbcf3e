"""`.safetensors`, written here by hand as the format says."""

import json

import numpy as np
import pytest

from seedproof.compare.files.outcome import TensorDifference
from two_runs import difference

ONES = np.ones((2, 3), "<f4").tobytes()


def header(text, data=b""):
    """A file with this header."""
    text = text.encode()
    return len(text).to_bytes(8, "little") + text + data


def safetensors(metadata=None, **tensors):
    """A file with these tensors: their dtype, shape and bytes."""
    entries, data = {}, b""
    if metadata:
        entries["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += content
    return header(json.dumps(entries), data)


def of(dtype, content):
    """A file with one tensor in one row."""
    elements = len(content) // {"BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1}[dtype]
    return safetensors(w=(dtype, [elements], content))


def test_the_first_tensor_that_differs_is_named(tmp_path):
    twos = (2 * np.ones((2, 3), "<f4")).tobytes()
    ours = safetensors(a=("F32", [2, 3], ONES), b=("F32", [2, 3], ONES))
    theirs = safetensors(a=("F32", [2, 3], ONES), b=("F32", [2, 3], twos))
    found = difference(tmp_path, "model.safetensors", ours, theirs)
    assert found.tensor == TensorDifference(
        "b", "bits", ("float32",) * 2, ((2, 3),) * 2, 1.0, 1 << 23, 1.0
    )


def test_metadata_is_no_tensor(tmp_path):
    ours = safetensors({"format": "pt"}, a=("F32", [2, 3], ONES))
    theirs = safetensors({"format": "np"}, a=("F32", [2, 3], ONES))
    found = difference(tmp_path, "model.safetensors", ours, theirs)
    assert found.all_tensors_equal
    assert found.tensors == 1


@pytest.mark.parametrize(
    ("dtype", "ours", "theirs", "apart", "units"),
    [
        ("BF16", b"\x80\x3f", b"\x81\x3f", 2.0**-7, 1),  # 1 and the next number
        ("F8_E4M3", b"\x38", b"\x39", 0.125, 1),  # 1 and the next number
        ("F8_E4M3", b"\x01", b"\x81", 2.0**-8, 3),  # the smallest above and below zero
        ("F8_E4M3", b"\x7e", b"\xfe", 896, 253),  # the largest and the smallest
        ("F8_E4M3", b"\x08", b"\x07", 2.0**-9, 1),  # the smallest normal one
        ("F8_E5M2", b"\x3c", b"\x3d", 0.25, 1),
        ("F8_E5M2", b"\x01", b"\x00", 2.0**-16, 1),
    ],
)
def test_short_floats_have_distances_in_their_own_units(
    tmp_path, dtype, ours, theirs, apart, units
):
    tensor = difference(tmp_path, "w.safetensors", of(dtype, ours), of(dtype, theirs)).tensor
    assert (tensor.max_abs_diff, tensor.max_ulp) == (apart, units)


def test_a_short_float_that_is_no_number_is_told_so(tmp_path):
    tensor = difference(tmp_path, "w", of("F8_E4M3", b"\x7f"), of("F8_E4M3", b"\x38")).tensor
    assert np.isnan(tensor.max_abs_diff)
    assert tensor.max_ulp is None


def test_a_type_whose_numbers_are_not_known_is_compared_bit_by_bit(tmp_path):
    tensor = difference(tmp_path, "w", of("F8_E8M0", b"\1\2"), of("F8_E8M0", b"\1\3")).tensor
    assert (tensor.dtypes[0], tensor.share) == ("float8_e8m0fnu", 0.5)
    assert tensor.max_abs_diff is None


# -- what is not read --------------------------------------------------------------------------


def entry(**fields):
    """A header with one tensor of four bytes."""
    return json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **fields}})


OVERLAPPING = json.dumps(
    {
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "b": {"dtype": "F16", "shape": [1], "data_offsets": [2, 4]},
    }
)


@pytest.mark.parametrize(
    "text",
    [
        entry(shape=[-1]),
        entry(shape=[2]),
        entry(shape=[10**30]),
        entry(shape=[True]),
        entry(shape=[1.0]),
        entry(shape=[1] * 1000),
        entry(shape={"0": 1}),
        entry(data_offsets=[4, 0]),
        entry(data_offsets=[-4, 0]),
        entry(data_offsets=[8, 12]),
        entry(data_offsets=[0, 4, 8]),
        entry(dtype="F4"),
        entry(dtype=["F32"]),
        entry(shape=[1 << 40], data_offsets=[0, 4 << 40]),
        '{"a": 1}',
        entry()[:-1] + "," + entry()[1:],
        "{" + '"a":{' * 100_000,
        "{nonsense",
        OVERLAPPING,
    ],
)
def test_a_header_that_cannot_be_leaves_the_offset_and_a_note(tmp_path, text):
    found = difference(
        tmp_path, "w.safetensors", header(text, b"\0\0\0\0"), header(text, b"\0\0\0\1")
    )
    assert found.offset == 8 + len(text) + 3
    assert found.tensor is None
    assert found.note.startswith("what it holds was not compared: ")


def test_a_header_that_claims_to_be_huge_is_not_read(tmp_path):
    length = (17 << 20).to_bytes(8, "little")
    ours, theirs = (length + b"{" + b" " * (17 << 20) + end for end in (b"1", b"2"))
    assert "header is too long" in difference(tmp_path, "w.safetensors", ours, theirs).note


def test_a_file_that_ends_before_its_header_does_not_begin_as_one(tmp_path):
    ours, theirs = ((1 << 60).to_bytes(8, "little") + b"{" + end for end in (b"1", b"2"))
    found = difference(tmp_path, "w.safetensors", ours, theirs)
    assert found.note == "it does not begin as a .safetensors file does"
