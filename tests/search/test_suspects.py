"""What is suspected first."""

from itertools import pairwise

from seedproof.search.suspects import suspects
from seedproof.sources import CATALOGUE

BROADER = ["hash_seed", "seeds", "uninitialized_memory", "aslr", "data_order", "op_determinism"]


def test_what_the_script_was_seen_to_use_comes_first():
    assert suspects(["clock"], True, ()).seen == ("clock", "seeds")


def test_generators_that_differ_speak_for_the_seeds():
    assert suspects([], True, ()).all[0] == "seeds"


def test_a_broad_source_stands_behind_what_it_would_silence():
    likely = suspects([], False, ()).likely
    places = [likely.index(name) for name in (*BROADER, "num_threads")]
    assert all(one < other for one, other in pairwise(places))


def test_what_would_have_been_seen_is_not_likely_where_it_was_not():
    assert "clock" not in suspects([], False, ()).likely


def test_what_is_pinned_already_is_not_suspected():
    assert "seeds" not in suspects([], True, ["seeds"]).all


def test_every_other_source_is_suspected_in_the_end():
    assert set(CATALOGUE) - set(suspects([], False, ()).all) == {"cpu_isa"}
