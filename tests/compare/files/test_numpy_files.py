"""`.npy` and `.npz`, as NumPy writes them."""

import io
import math
import zipfile

import numpy as np
import pytest

from seedproof.compare.files.outcome import TensorDifference
from two_runs import difference


def npy(array, **options):
    """What `numpy.save` writes."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(save=np.savez, **arrays):
    """What `numpy.savez` writes, without the time of day."""
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def changed(array, at, value):
    """A copy with one other element."""
    array = np.array(array)
    array[at] = value
    return array


WEIGHTS = np.linspace(1, 2, 6, dtype="float32").reshape(2, 3)


# -- one array ---------------------------------------------------------------------------------


def test_the_array_of_an_npy_file_has_no_name(tmp_path):
    other = changed(WEIGHTS, (1, 2), np.nextafter(np.float32(2), np.float32(3)))
    found = difference(tmp_path, "w.npy", npy(WEIGHTS), npy(other))
    assert found.tensor == TensorDifference(
        "", "bits", ("float32",) * 2, ((2, 3),) * 2, 2.0**-22, 1, 1 / 6
    )
    assert found.tensors == 1
    assert found.offset == 128 + 20


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "complex64"])
def test_every_type_of_number_has_a_distance(tmp_path, dtype):
    found = difference(tmp_path, "w.npy", npy(np.zeros(4, dtype)), npy(np.ones(4, dtype)))
    assert found.tensor.dtypes == (dtype, dtype)
    assert (found.tensor.max_abs_diff, found.tensor.share) == (1, 1)


@pytest.mark.parametrize("dtype", ["U3", "datetime64[s]", [("a", "i4"), ("b", "f8")], "S2"])
def test_what_is_no_number_is_compared_bit_by_bit(tmp_path, dtype):
    ours, theirs = np.zeros(4, dtype), np.zeros(4, dtype)
    theirs[1:3] = np.ones(2, dtype)
    tensor = difference(tmp_path, "w.npy", npy(ours), npy(theirs)).tensor
    assert (tensor.max_abs_diff, tensor.max_ulp, tensor.share) == (None, None, 0.5)


def test_another_shape_or_type_is_told_as_such(tmp_path):
    found = difference(tmp_path, "w.npy", npy(WEIGHTS), npy(WEIGHTS.T.astype("float64")))
    assert found.tensor == TensorDifference("", "shape", ("float32", "float64"), ((2, 3), (3, 2)))


def test_the_distance_is_taken_over_all_blocks(tmp_path):
    ours = np.zeros(700_001)
    theirs = changed(changed(ours, 0, 1e-3), 699_999, 5.0)
    tensor = difference(tmp_path, "w.npy", npy(ours), npy(theirs)).tensor
    assert tensor.max_abs_diff == 5.0
    assert tensor.share == 2 / 700_001


@pytest.mark.parametrize("at", [0, 699_999])
def test_a_nan_in_any_block_leaves_no_distance(tmp_path, at):
    ours = np.zeros(700_001)
    theirs = changed(changed(changed(ours, 0, 1), 699_999, 1), at, math.nan)
    tensor = difference(tmp_path, "w.npy", npy(ours), npy(theirs)).tensor
    assert math.isnan(tensor.max_abs_diff)
    assert tensor.max_ulp is None


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [(math.nan, 1.0, math.nan), (-0.0, 0.0, 0), (math.inf, 1.0, math.inf)],
)
def test_what_is_not_finite_is_a_difference(tmp_path, ours, theirs, apart):
    tensor = difference(tmp_path, "w.npy", npy(np.array([ours])), npy(np.array([theirs]))).tensor
    assert tensor.max_abs_diff == pytest.approx(apart, nan_ok=True)


# -- the same numbers, otherwise stored --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("byte order", WEIGHTS, WEIGHTS.astype(">f4")),
        ("byte order of complex numbers", WEIGHTS * 1j, (WEIGHTS * 1j).astype(">c8")),
        ("order of axes", WEIGHTS, np.asfortranarray(WEIGHTS)),
    ],
)
def test_equal_numbers_in_other_bytes_are_equal_tensors(tmp_path, name, ours, theirs):
    found = difference(tmp_path, "w.npy", npy(ours), npy(theirs))
    assert found.all_tensors_equal
    assert (found.kind, found.tensors, found.tensor) == ("bits", 1, None)


def test_arrays_in_other_orders_of_axes_are_compared_element_by_element(tmp_path):
    ours = np.arange(24.0).reshape(2, 3, 4)
    theirs = np.asfortranarray(changed(ours, (1, 0, 2), 14.5))
    tensor = difference(tmp_path, "w.npy", npy(ours), npy(theirs)).tensor
    assert (tensor.max_abs_diff, tensor.share) == (0.5, 1 / 24)


# -- archives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_first_array_of_an_archive_that_differs_is_named(tmp_path, save):
    ours = npz(save, a=WEIGHTS, b=WEIGHTS, c=WEIGHTS)
    theirs = npz(save, a=WEIGHTS, b=WEIGHTS * 2, c=WEIGHTS * 3)
    found = difference(tmp_path, "w.npz", ours, theirs)
    assert (found.tensor.name, found.tensor.max_abs_diff) == ("b", 2)
    assert found.tensors == 2


def test_arrays_are_matched_by_name_whatever_their_order(tmp_path):
    ours = npz(a=WEIGHTS, b=WEIGHTS + 1)
    found = difference(tmp_path, "w.npz", ours, npz(b=WEIGHTS + 1, a=WEIGHTS))
    assert found.all_tensors_equal


def test_an_array_that_one_archive_lacks(tmp_path):
    found = difference(tmp_path, "w.npz", npz(a=WEIGHTS, b=WEIGHTS), npz(a=WEIGHTS))
    assert found.tensor == TensorDifference("b", "missing", ("float32", None), ((2, 3), None))


def test_an_array_that_only_the_other_archive_has(tmp_path):
    found = difference(tmp_path, "w.npz", npz(a=WEIGHTS), npz(a=WEIGHTS, b=WEIGHTS))
    assert found.tensor == TensorDifference("b", "extra", (None, "float32"), (None, (2, 3)))


def test_an_archive_that_was_made_at_another_time_is_another_file_with_equal_arrays(tmp_path):
    def written(when):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in ("a", "b"):
                archive.writestr(zipfile.ZipInfo(f"{name}.npy", when), npy(WEIGHTS))
        return file.getvalue()

    ours, theirs = written((2020, 1, 1, 0, 0, 0)), written((2021, 1, 1, 0, 0, 0))
    found = difference(tmp_path, "w.npz", ours, theirs)
    assert (found.kind, found.tensor, found.tensors) == ("bits", None, 2)
    assert found.all_tensors_equal
    assert found.note == "the contents of its members are equal"


def test_packed_and_unpacked_archives_hold_the_same_arrays(tmp_path):
    ours, theirs = npz(np.savez, a=WEIGHTS), npz(np.savez_compressed, a=WEIGHTS)
    assert difference(tmp_path, "w.npz", ours, theirs).all_tensors_equal


# -- what is not read --------------------------------------------------------------------------


class Armed:
    """What a pickle could do to whoever loads it."""

    def __reduce__(self):
        return pytest.fail, ("it was loaded",)


def test_objects_are_not_unpickled(tmp_path):
    ours = npy(np.array([Armed(), 1], object), allow_pickle=True)
    theirs = npy(np.array([Armed(), 2], object), allow_pickle=True)
    found = difference(tmp_path, "w.npy", ours, theirs)
    assert "Python objects" in found.note
    assert found.offset is not None


@pytest.mark.parametrize("shape", [(-1,), (10**18,), (2**63, 2**63), (True,), "x", (1,) * 65])
def test_a_shape_that_cannot_be_leaves_the_offset_and_a_note(tmp_path, shape):
    header = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(1000) + "\n"
    file = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode()
    found = difference(tmp_path, "w.npy", file + b"\0\0\0\0", file + b"\0\0\0\1")
    assert (found.offset, found.tensor) == (len(file) + 3, None)
    assert found.note.startswith("what it holds was not compared: ")


def test_a_file_that_was_cut_short_says_which(tmp_path):
    whole = npy(WEIGHTS)
    found = difference(tmp_path, "w.npy", whole, whole[:-1])
    assert (found.kind, found.offset) == ("size", len(whole) - 1)
    assert found.note.endswith("it is cut short (the second run's file)")


def test_an_empty_array_has_nothing_to_compare(tmp_path):
    ours, theirs = npz(a=np.zeros((0, 3))), npz(a=np.zeros((0, 3)), b=np.zeros(0))
    assert difference(tmp_path, "w.npz", ours, theirs).tensor.name == "b"
