"""What is suspected first."""

import pytest

from seedproof.compare.divergence import Divergence
from seedproof.search.explanation import Operation
from seedproof.search.suspects import likely_at, suspects
from seedproof.sources import CATALOGUE
from seedproof.trace.format import PHASES


def test_what_the_script_was_seen_to_use_comes_first():
    assert suspects(["clock"], True, ()).seen == ("clock", "seeds")


def test_generators_that_differ_speak_for_the_seeds():
    assert suspects([], True, ()).all[0] == "seeds"


@pytest.mark.parametrize(
    ("specific", "broad"),
    [
        ("uninitialized_memory", "aslr"),
        ("hash_seed", "aslr"),
        ("uninitialized_memory", "op_determinism"),
        ("data_order", "num_threads"),
        ("op_determinism", "num_threads"),
    ],
)
def test_a_broad_source_stands_behind_what_it_would_silence(specific, broad):
    places = [Divergence(0, phase, "x", "bits", "x") for phase in PHASES]
    for imported in ([], ["torch"], ["tensorflow"]):
        for likely in (likely_at(place, imported, []) for place in places):
            if {specific, broad} <= set(likely):
                assert likely.index(specific) < likely.index(broad)


def test_what_would_have_been_seen_is_not_likely_where_it_was_not():
    assert "clock" not in suspects([], False, ()).likely


def test_what_is_pinned_already_is_not_suspected():
    assert "seeds" not in suspects([], True, ["seeds"]).all


def test_every_other_source_is_suspected_in_the_end():
    assert set(CATALOGUE) - set(suspects([], False, ()).all) == {"cpu_isa"}


@pytest.mark.parametrize(
    ("phase", "imported", "seen", "first", "out"),
    [
        ("update", ["numpy"], [], "hash_seed", "op_determinism"),
        ("init", ["torch"], [], "hash_seed", "data_order"),
        ("data", ["tensorflow", "keras"], ["data"], "data_order", "op_determinism"),
        ("data", ["torch"], ["data"], "uninitialized_memory", "data_order"),
        ("loss", ["torch"], ["data", "loss"], "seeds", "op_determinism"),
        ("backward", ["torch"], ["backward"], "op_determinism", "hash_seed"),
        ("update", ["torch"], ["backward"], "aslr", "op_determinism"),
        ("update", ["jax"], ["update"], "op_determinism", "clock"),
    ],
)
def test_where_runs_part_says_what_is_likely(phase, imported, seen, first, out):
    place = Divergence(0, phase, "x", "bits", "x")
    likely = likely_at(place, imported, seen)
    assert first in likely
    assert out not in likely


def test_memory_of_tensorflow_and_jax_is_always_written():
    place = Divergence(0, "loss", "x", "bits", "x")
    assert "uninitialized_memory" in likely_at(place, ["torch", "jax"], [])
    assert "uninitialized_memory" not in likely_at(place, ["tensorflow", "jax"], [])


def test_an_operation_of_equal_inputs_is_likely_to_compute_in_another_order():
    place = Divergence(0, "data", "x", "bits", "x")
    for outputs_alone in (True, False):
        operation = Operation(0, "aten.index_put_.default", None, outputs_alone)
        likely = likely_at(place, ["torch"], [], operation)
        assert ("op_determinism" in likely, "hash_seed" in likely) == (
            outputs_alone,
            not outputs_alone,
        )


def test_no_more_are_likely_than_two_questions_tell_apart():
    place = Divergence(0, "loss", "x", "bits", "x")
    assert len(likely_at(place, ["torch"], ["loss"])) <= 4
