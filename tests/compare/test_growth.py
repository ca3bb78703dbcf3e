"""How the difference grows: every array that two runs kept, its distance and its share."""

import math
import tracemalloc

import numpy as np
import pytest

from seedproof.compare import growth as module
from seedproof.compare.growth import Apart, apart, by_step, growth
from traces import Trace

GENERATOR = np.random.default_rng(0)


@pytest.fixture
def pair(tmp_path):
    """Two runs that have begun."""
    return Trace(tmp_path / "0"), Trace(tmp_path / "1")


def keep(pair, ours, theirs, name="w", **place):
    for run, array in zip(pair, (ours, theirs), strict=True):
        run.keep(name, array, **place)


def grown(pair):
    return list(growth(*(run.trace for run in pair)))


# -- two arrays --------------------------------------------------------------------------------


def test_it_is_the_largest_distance_and_the_number_of_elements_that_differ():
    ours = np.float32([1, 2, 3, 4])
    theirs = np.float32([1, np.nextafter(np.float32(2), np.float32(3)), 3.5, 4])
    found = apart(ours, theirs)
    units = int(np.float32(3.5).view("u4")) - int(np.float32(3).view("u4"))
    assert found == Apart(max_abs_diff=0.5, max_ulp=units, differing=2, elements=4)
    assert found.share == 0.5


@pytest.mark.parametrize(
    ("ours", "theirs", "differing"),
    [([0.0], [-0.0], 1), ([math.nan], [math.nan], 0), ([1, math.nan], [1, -math.nan], 1)],
)
def test_an_element_differs_where_its_bits_do(ours, theirs, differing):
    found = apart(np.float64(ours), np.float64(theirs))
    assert (found.max_abs_diff, found.differing) == (0, differing)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "complex64"])
def test_every_type_is_told_apart_bit_for_bit(dtype):
    ours = np.array([0, 1, 1], dtype)
    theirs = np.array([0, 1, 0], dtype)
    assert apart(ours, theirs).differing == 1
    assert apart(ours, theirs).max_abs_diff == 1


@pytest.mark.parametrize("part", [1, 1j])
def test_both_parts_of_a_complex_number_count(part):
    ours = np.zeros(3, "complex128")
    theirs = ours + np.complex128([0, part, 0])
    assert apart(ours, theirs).differing == 1


def test_large_arrays_are_looked_at_piece_by_piece_with_the_same_result(monkeypatch):
    ours, theirs = GENERATOR.normal(size=(2, 7, 11)).astype("float32")
    theirs[2] = ours[2]
    whole = apart(ours, theirs)
    assert whole.differing == 66
    monkeypatch.setattr(module, "_CHUNK", 5)
    assert apart(ours, theirs) == whole


def test_a_nan_in_any_piece_is_told(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 2)
    found = apart(np.float32([1, 2, 3, 4, 5]), np.float32([1, 9, math.nan, 4, 5]))
    assert math.isnan(found.max_abs_diff)
    assert (found.max_ulp, found.differing) == (None, 2)


def test_arrays_without_elements_are_not_apart():
    found = apart(np.zeros((0, 3)), np.zeros((0, 3)))
    assert (found.max_abs_diff, found.differing, found.elements, found.share) == (0, 0, 0, 0)


def test_large_arrays_need_no_more_memory_than_a_piece_of_them():
    ours = np.zeros(30 << 20, "int8")
    theirs = ours + np.int8(1)
    tracemalloc.start()
    try:
        assert apart(ours, theirs).share == 1
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


# -- what two runs kept ------------------------------------------------------------------------


def test_every_array_is_told_in_logical_order(pair):
    others = [run.beside("rank0") for run in pair]
    keep(pair, [1.0], [4.0], step=4)
    keep(others, [1.0], [3.0], step=4)
    keep(pair, [1.0], [2.0], "a", step=4, phase="backward")
    keep(pair, [1.0], [1.5], step=2)
    keep(pair, [1.0], [1.0], "init", step=-1, phase="init")
    assert [
        (at.step, at.phase, at.stream, at.name, at.apart.max_abs_diff) for at in grown(pair)
    ] == [
        (-1, "init", "main", "init", 0),
        (2, "update", "main", "w", 0.5),
        (4, "backward", "main", "a", 1),
        (4, "update", "main", "w", 3),
        (4, "update", "rank0", "w", 2),
    ]


def test_arrays_that_were_kept_again_belong_to_their_own_twins(pair):
    keep(pair, [1.0], [2.0])
    keep(pair, [1.0], [5.0])
    assert [at.apart.max_abs_diff for at in grown(pair)] == [1, 4]


@pytest.mark.parametrize(
    "other", [{"name": "v"}, {"step": 1}, {"phase": "init"}, {"array": [[1.0]]}, {"array": [1]}]
)
def test_what_has_no_twin_is_left_out(pair, other):
    pair[0].keep("w", [1.0])
    pair[1].keep(**{"name": "w", "array": [1.0], **other})
    assert grown(pair) == []


def test_an_array_that_was_cut_is_left_out(pair):
    keep(pair, [1.0, 2.0], [2.0, 3.0])
    (pair[1].directory / "values.bin").write_bytes(b"\0" * 9)
    assert grown(pair) == []


def test_bfloat16_has_its_own_unit(pair):
    for run, bits in zip(pair, ([0x3F80, 0x7FC0], [0x3F82, 0x7FC0]), strict=True):
        run.writer.keep("w", "update", 0, "bfloat16", (2,), np.uint16(bits).tobytes())
    (found,) = grown(pair)
    assert found.apart == Apart(max_abs_diff=2**-6, max_ulp=2, differing=1, elements=2)


def test_a_step_is_the_largest_of_its_arrays_and_their_sum(pair):
    keep(pair, np.float32([1, 2]), np.float32([1, 2]), step=0)
    keep(pair, np.float32([1, 2]), np.float32([1, 4]), step=1)
    keep(pair, np.int32([1, 2]), np.int32([8, 8]), "n", step=1)
    units = int(np.float32(4).view("u4")) - int(np.float32(2).view("u4"))
    assert list(by_step(grown(pair))) == [
        (0, Apart(0, 0, 0, 2)),
        (1, Apart(7, units, 3, 4)),
    ]


def test_one_array_is_read_at_a_time(pair):
    for step in range(40):
        keep(pair, np.zeros(1 << 17), np.ones(1 << 17), step=step)
    traces = [run.trace for run in pair]
    tracemalloc.start()
    try:
        assert sum(at.apart.differing for at in growth(*traces)) == 40 << 17
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
