"""What people are told of a file that two runs wrote differently."""

import math

import pytest

from seedproof.compare.files.outcome import (
    FileDifference,
    LineDifference,
    MemberDifference,
    TensorDifference,
)
from seedproof.present.files_text import difference_as_text

CUT = "\N{REPLACEMENT CHARACTER}"


def said(**fields):
    """The sentence about out/w.pt, whose bytes differ from byte 1234 on."""
    given = {"kind": "bits", "sizes": (2000, 2000), "offset": 1234, **fields}
    return difference_as_text(FileDifference("out/w.pt", **given), 1)


def tensor(name="a.weight", kind="bits", apart=None, ulp=None, share=None, **fields):
    """What is said of one tensor, without where the bytes differ."""
    given = {"dtypes": ("float32",) * 2, "shapes": ((3, 2),) * 2, **fields}
    found = TensorDifference(name, kind, max_abs_diff=apart, max_ulp=ulp, share=share, **given)
    sentence = said(tensor=found, tensors=1)
    assert sentence.endswith("; the first differing byte is 1234")
    return sentence.removeprefix("out/w.pt: ").removesuffix("; the first differing byte is 1234")


# -- the file ----------------------------------------------------------------------------------


def test_a_file_that_one_run_did_not_write():
    assert difference_as_text(FileDifference("a.pt", "missing"), 1) == (
        "a.pt: run 1 did not write it"
    )
    assert difference_as_text(FileDifference("a.pt", "extra"), 1) == ("a.pt: only run 1 wrote it")


def test_bytes_alone():
    assert said() == "out/w.pt: the first differing byte is 1234"


def test_another_length():
    assert said(kind="size", sizes=(2000, 2010)) == (
        "out/w.pt: 2000 bytes against 2010, the first differing byte is 1234"
    )
    assert said(kind="size", sizes=(1234, 2010)) == (
        "out/w.pt: 1234 bytes against 2010, equal as far as the shorter goes"
    )


def test_a_note_is_told_too():
    assert said(note="its inside is odd") == (
        "out/w.pt: its inside is odd; the first differing byte is 1234"
    )


# -- tensors -----------------------------------------------------------------------------------


def test_a_tensor_is_told_with_its_distance_and_its_share():
    assert tensor(apart=0.00012345, ulp=17, share=0.4166) == (
        "tensor a.weight (float32 (3, 2)) differs in 41.7% of its elements, by up to 0.000123, "
        "17 units in the last place"
    )
    assert tensor(apart=1.0, ulp=1, share=1.0).endswith("by up to 1, 1 unit in the last place")


def test_a_type_without_last_places_has_none():
    assert tensor(apart=2.0, share=1.0, dtypes=("int64",) * 2, shapes=((), ())) == (
        "tensor a.weight (int64) differs in 100% of its elements, by up to 2"
    )


def test_a_type_without_numbers_has_a_share_alone():
    assert tensor(share=0.5, dtypes=("<U3",) * 2) == (
        "tensor a.weight (<U3 (3, 2)) differs in 50% of its elements"
    )


def test_what_is_no_number_is_told_so():
    assert tensor(apart=math.nan, share=0.5).endswith(
        "elements, one has NaN where the other has a number"
    )
    assert tensor(apart=0.0, ulp=1, share=0.5).endswith(
        "elements, in its bits but not in its numbers"
    )


def test_another_type_or_shape():
    assert tensor(kind="shape", dtypes=("float32", "float64"), shapes=((3, 2), (6,))) == (
        "tensor a.weight is float32 (3, 2) against float64 (6,)"
    )


@pytest.mark.parametrize(
    ("kind", "how"),
    [("missing", "run 1 lacks it"), ("extra", "only run 1 has it")],
)
def test_a_tensor_that_one_run_lacks(kind, how):
    assert tensor(kind=kind) == f"tensor a.weight: {how}"


def test_a_tensor_without_a_name():
    assert tensor(name="", share=0.5).startswith("its tensor (float32 (3, 2)) differs in 50%")


def test_all_tensors_are_equal():
    assert said(tensors=3) == (
        "out/w.pt: all 3 tensors in it are equal; the first differing byte is 1234"
    )
    assert said(tensors=1) == (
        "out/w.pt: the tensor in it is equal; the first differing byte is 1234"
    )
    assert said(tensors=0) == "out/w.pt: the first differing byte is 1234"


def test_a_value_is_told_with_the_tensors_that_are_equal():
    value = TensorDifference(
        "epoch", "bits", ("int64",) * 2, ((), ()), max_abs_diff=1.0, is_tensor=False
    )
    assert said(tensors=4, tensor=value) == (
        "out/w.pt: all 4 tensors in it are equal; value epoch (int64) differs, by up to 1; "
        "the first differing byte is 1234"
    )


# -- members and lines -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "how"),
    [
        (MemberDifference("d/x", "bits", 7), "member d/x differs from its byte 7 on"),
        (MemberDifference("d/x", "missing"), "member d/x: run 1 lacks it"),
        (MemberDifference("d/x", "extra"), "member d/x: only run 1 has it"),
    ],
)
def test_a_member_is_named(member, how):
    assert said(member=member) == f"out/w.pt: {how}; the first differing byte is 1234"


@pytest.mark.parametrize(
    ("line", "how"),
    [
        (LineDifference(2, "b,2\n", "b,7\n"), "line 2 is 'b,2' against 'b,7'"),
        (LineDifference(2, "b,2\n", None), "line 2 is 'b,2' against nothing"),
        (LineDifference(2, "", "b"), "line 2 is '' against 'b'"),
        (LineDifference(2, "a\n", "a\r\n"), "line 2 ends otherwise: 'a'"),
    ],
)
def test_a_line_is_shown(line, how):
    assert said(line=line) == f"out/w.pt: {how}; the first differing byte is 1234"


# -- names from anywhere -----------------------------------------------------------------------


def test_hostile_names_stay_on_the_line():
    odd = "a\nb\x1b[31m" + "x" * 10_000
    named = TensorDifference(odd, "shape", (odd, odd), ((1,), (2,)))
    found = FileDifference(
        odd, "bits", (1, 1), 0, named, 1, MemberDifference(odd, "bits", 0),
        LineDifference(1, odd, odd + "!"), odd,
    )  # fmt: skip
    sentence = difference_as_text(found, 1)
    assert sentence.startswith(f"a{CUT}b{CUT}[31mxxx")
    assert sentence.isprintable()
    assert len(sentence) < 1500
