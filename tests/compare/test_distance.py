"""How far apart two arrays are: in their unit, in units in the last place, and whether at all."""

import math

import numpy as np
import pytest

from seedproof.compare.distance import distance_after, kept_array, max_abs_diff, max_ulp
from traces import Trace

FLOATS = ("float16", "float32", "float64")
GENERATOR = np.random.default_rng(0)


def abs_diff(ours, theirs, dtype="float64"):
    return max_abs_diff(np.array(ours, dtype), np.array(theirs, dtype))


def ulp(ours, theirs, dtype):
    return max_ulp(np.array(ours, dtype), np.array(theirs, dtype))


def as_integer(bits, size):
    """A float's place among all floats of its size, in Python's integers."""
    sign, magnitude = bits >> (8 * size - 1), bits & (1 << (8 * size - 1)) - 1
    return -1 - magnitude if sign else magnitude


# -- in the array's own unit -------------------------------------------------------------------


def test_it_is_the_largest_difference():
    ours, theirs = GENERATOR.normal(size=(2, 3, 5))
    assert max_abs_diff(ours, theirs) == np.abs(ours - theirs).max()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "uint64", *FLOATS])
def test_equal_arrays_are_not_apart(dtype):
    array = GENERATOR.integers(0, 2, 9).astype(dtype)
    assert max_abs_diff(array, array.copy()) == 0
    assert max_abs_diff(array[:0], array[:0]) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "dtype", "apart"),
    [
        ([0, 255], [255, 255], "uint8", 255),
        ([-128], [127], "int8", 255),
        ([2**60], [2**60 + 1], "int64", 1),
        ([-(2**63)], [2**63 - 1], "int64", 2.0**64),
        ([0], [2**64 - 1], "uint64", 2.0**64),
        ([True, False], [True, True], "bool", 1),
        ([1 + 1j], [1 - 2j], "complex64", 3),
        ([0.0], [-0.0], "float32", 0),
        ([65504.0], [-65504.0], "float16", 131008),
    ],
)
def test_no_type_overflows_or_rounds(ours, theirs, dtype, apart):
    assert abs_diff(ours, theirs, dtype) == apart


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        ([math.inf, 1], [math.inf, 1], 0),
        ([math.inf, 1], [math.inf, 3], 2),
        ([math.inf], [-math.inf], math.inf),
        ([math.inf], [1], math.inf),
        ([math.nan, 1], [math.nan, 3], 2),
        ([math.nan], [-math.nan], 0),
        ([math.nan, 1], [2, 3], math.nan),
        ([1.7e308], [-1.7e308], math.inf),
    ],
)
def test_what_is_not_finite(ours, theirs, apart):
    assert abs_diff(ours, theirs) == pytest.approx(apart, nan_ok=True)


def test_arrays_of_two_types_are_compared_as_numbers():
    assert max_abs_diff(np.float32([1, 2]), np.float64([1, 2.5])) == 0.5
    assert max_abs_diff(np.int64([1]), np.float64([1.5])) == 0.5


def test_a_single_number_is_an_array_too():
    assert max_abs_diff(np.array(1.0), np.array(3.0)) == 2


# -- in units in the last place ----------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
def test_it_is_counted_over_the_floats_in_between(dtype):
    size = np.dtype(dtype).itemsize
    ours, theirs = np.frombuffer(GENERATOR.bytes(2 * 500 * size), dtype).reshape(2, 500)
    finite = np.isfinite(ours) & np.isfinite(theirs)
    ours, theirs = ours[finite], theirs[finite]
    places = [
        [as_integer(int(bits), size) for bits in array.view(f"u{size}")] for array in (ours, theirs)
    ]
    assert max_ulp(ours, theirs) == max(abs(a - b) for a, b in zip(*places, strict=True))


@pytest.mark.parametrize("dtype", FLOATS)
def test_neighbours_are_one_apart(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    for ours, theirs in [
        (1, np.nextafter(np.array(1, dtype), np.array(2, dtype))),
        (-1, np.nextafter(np.array(-1, dtype), np.array(0, dtype))),
        (0.0, -0.0),
        (0.0, tiny),
        (-0.0, -tiny),
        (np.finfo(dtype).max, math.inf),
    ]:
        assert ulp([ours], [theirs], dtype) == ulp([theirs], [ours], dtype) == 1


@pytest.mark.parametrize("dtype", FLOATS)
def test_it_is_counted_across_zero(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    assert ulp([-3 * tiny], [2 * tiny], dtype) == 6


def test_the_widest_distance_fits():
    assert ulp([-math.inf], [math.inf], "float64") == 2 * 0x7FF0000000000000 + 1


@pytest.mark.parametrize("dtype", FLOATS)
def test_equal_floats_are_none_apart(dtype):
    assert ulp([1, math.inf, math.nan], [1, math.inf, math.nan], dtype) == 0
    assert ulp([], [], dtype) == 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_number_and_none_are_no_units_apart(dtype):
    assert ulp([1, math.nan], [1, 1], dtype) is None
    assert ulp([math.nan, 1], [math.nan, 2], dtype) == ulp([1], [2], dtype)


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "longdouble"])
def test_other_types_have_no_such_unit(dtype):
    assert ulp([1], [1], dtype) is None


def test_two_types_have_no_common_unit():
    assert max_ulp(np.float32([1]), np.float64([1])) is None


# -- of what two runs kept ---------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path):
    """Two traces that have begun."""
    return Trace(tmp_path / "0"), Trace(tmp_path / "1")


def apart(pair, name="w", step=0):
    return distance_after(*(trace.stream for trace in pair), name, step)


def keep(pair, ours, theirs, **place):
    for trace, array in zip(pair, (ours, theirs), strict=True):
        trace.keep("w", array, **place)


def test_the_first_step_from_the_divergence_on_counts(pair):
    for step, value in ((9, 4.0), (1, 2.0), (5, 3.0)):
        keep(pair, np.float32([0]), np.float32([value]), step=step)
    assert [apart(pair, step=step).max_abs_diff for step in (-1, 1, 2, 5, 6)] == [2, 2, 3, 3, 4]
    assert [apart(pair, step=step).step for step in (0, 2, 9)] == [1, 5, 9]
    assert apart(pair, step=10) is None


def test_it_is_given_in_both_units(pair):
    keep(pair, np.float32([1, 2]), np.nextafter(np.float32([1, 2]), np.float32(3)))
    found = apart(pair)
    assert (found.max_abs_diff, found.max_ulp) == (2**-22, 1)


def test_what_only_one_run_kept_has_no_distance(pair):
    pair[0].keep("w", [1.0])
    pair[1].keep("v", [2.0])
    assert apart(pair) is None


def test_only_arrays_of_one_phase_and_step_belong_together(pair):
    pair[0].keep("w", [1.0], step=1, phase="update").keep("w", [5.0], step=2)
    pair[1].keep("w", [2.0], step=1, phase="init").keep("w", [6.0], step=3)
    assert apart(pair) is None


def test_arrays_that_were_kept_again_belong_to_their_own_twins(pair):
    pair[0].keep("w", [1.0]).keep("w", [2.0])
    pair[1].keep("w", [11.0])
    assert apart(pair).max_abs_diff == 10


def test_arrays_of_other_shapes_are_skipped(pair):
    keep(pair, [1.0], [[1.0]], step=0)
    keep(pair, [1.0], [4.0], step=1)
    assert apart(pair).step == 1


def test_an_array_that_was_cut_short_is_skipped(pair):
    keep(pair, [1.0], [2.0])
    (pair[1].directory / "values.bin").write_bytes(b"\0" * 7)
    assert apart(pair) is None


BFLOAT16 = {"ours": [0x3F80, 0x8000, 0x7F7F], "theirs": [0x3F82, 0x0001, 0x7F7F]}


def test_bfloat16_has_its_own_unit(pair):
    for trace, bits in zip(pair, BFLOAT16.values(), strict=True):
        trace.writer.keep("w", "update", 0, "bfloat16", (3,), np.uint16(bits).tobytes())
    found = apart(pair)
    assert (found.max_abs_diff, found.max_ulp) == (2**-6, 2)


# -- whatever a foreign trace says -------------------------------------------------------------


def event(**changes):
    plain = {"dtype": "float32", "shape": [2], "offset": 0, "bytes": 8}
    return {"event": "value", "name": "w", "phase": "update", "step": 0, **plain, **changes}


@pytest.fixture
def stream(tmp_path):
    return Trace(tmp_path).keep("w", np.float32([1, 2])).stream


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [1, 2]),
        ({"shape": [1, 2]}, [[1, 2]]),
        ({"shape": [], "bytes": 4}, 1),
        ({"dtype": "uint8", "bytes": 4, "offset": 4, "shape": [4]}, [0, 0, 0, 0x40]),
        ({"dtype": "bfloat16", "shape": [4]}, [0, 1, 0, 2]),
    ],
)
def test_a_kept_array_is_read_as_its_event_says(stream, changes, expected):
    assert kept_array(stream, event(**changes)).tolist() == expected


@pytest.mark.parametrize(
    "changes",
    [
        *({"dtype": dtype} for dtype in ("O", "float8_e4m3fn", "longdouble", "", "f4,f4", "S4")),
        *({"dtype": dtype} for dtype in ("(1000000,1000000)f8", "M8[ns]", "V4", "<U1", "[('a',")),
        *({"bytes": size} for size in (0, 7, 9, 2**40, 2**63 - 1)),
        *({"offset": offset} for offset in (1, 8, 2**40, 2**63 - 1)),
        *({"shape": shape} for shape in ([], [3], [2, 2], [0], [2**62, 2], [2] * 100_000)),
        {"shape": [0], "bytes": 0},
        {"shape": [0, 2**63 - 1], "bytes": 0},
        {"shape": [2, *[1] * 63]},
    ],
)
def test_what_does_not_fit_is_no_array(stream, changes):
    assert kept_array(stream, event(**changes)) is None
