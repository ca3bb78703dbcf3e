"""Which leaves of a structure are found again in another, and what they are called."""

from __future__ import annotations

import gc

import pytest

jax = pytest.importorskip("jax")
jax_trees = pytest.importorskip("seedproof.frameworks.jax.trees")
jax_functions = pytest.importorskip("seedproof.frameworks.jax.functions")
jax_identity = pytest.importorskip("seedproof.frameworks.jax.identity")

PARAMS = {"b": (3,), "w": (2, 3)}


def leaves_of(tree):
    leaves, treedef = jax.tree_util.tree_flatten(tree, is_leaf=is_shape)
    return treedef, [("float32", shape) for shape in leaves]


def is_shape(node):
    return isinstance(node, tuple) and all(isinstance(item, int) for item in node)


def paired(taken, given, part=None):
    """The leaves, described by their shapes, that have a counterpart."""
    (treedef, types), (other, other_types) = leaves_of(taken), leaves_of(given)
    within = jax_trees.places_of(other, part)
    return jax_trees.pairs(treedef, types, other, other_types, within)


# -- counterparts ------------------------------------------------------------------------------


def test_parameters_that_are_returned_have_counterparts():
    assert paired([PARAMS, (9,)], [(1, 1), PARAMS]) == [(0, 1), (1, 2)]


def test_each_result_is_the_counterpart_of_one_argument():
    assert paired([PARAMS, PARAMS], [PARAMS]) == [(0, 0), (1, 1)]


def test_an_array_of_another_shape_is_none():
    assert paired([(3,)], [(4,)]) == []


def test_a_single_number_is_none():
    assert paired([()], [()]) == []


def test_parts_are_found_within_a_structure_that_has_changed():
    assert paired([{"params": PARAMS, "step": (1,)}], [{"params": PARAMS}]) == [(0, 0), (1, 1)]


def test_only_the_part_that_is_asked_for_is_considered():
    assert paired([PARAMS], [PARAMS, PARAMS], part=1) == [(0, 2), (1, 3)]


# -- names -------------------------------------------------------------------------------------


def step(params, *batches, rate):
    return params, batches, rate


def named(fun, *arguments, **options):
    functions = jax_functions.Functions()
    function = functions.of(fun)
    functions.name(function)
    return jax_trees.names_of_arguments(function, (arguments, options))


def test_leaves_are_called_as_the_arguments_are():
    assert named(step, {"w": 1, "b": [2, 3]}, 4, 5, rate=6) == [
        *("step/params/b/0", "step/params/b/1", "step/params/w"),
        *("step/batches0", "step/batches1", "step/rate"),
    ]


def test_what_has_no_signature_is_numbered():
    assert named(max, 1, 2) == ["max/0", "max/1"]


def test_functions_of_one_name_are_numbered_as_they_are_called():
    functions = jax_functions.Functions()
    made = [functions.of(fun) for fun in (lambda: 1, lambda: 2)]
    for function in reversed(made):
        functions.name(function)
    assert [function.name for function in made] == ["<lambda>(2)", "<lambda>"]


def test_a_function_is_the_same_one_however_often_it_is_compiled():
    functions = jax_functions.Functions()
    assert functions.of(step) is functions.of(step)
    assert functions.of("".join) is not functions.of(step)


def test_a_method_is_the_same_one_whenever_it_is_asked_for():
    class Trainer:
        def step(self):
            return self

    functions, trainer, other = jax_functions.Functions(), Trainer(), Trainer()
    assert functions.of(trainer.step) is functions.of(trainer.step)
    assert functions.of(trainer.step) is not functions.of(other.step)


# -- identity ----------------------------------------------------------------------------------


class Thing:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


def test_it_is_the_object_that_counts():
    known, thing, other = jax_identity.ByIdentity(), Thing(), Thing()
    known.put(thing, "fact")
    assert known.get(thing) == "fact"
    assert known.get(other) is None


def test_what_is_gone_is_forgotten():
    known, thing = jax_identity.ByIdentity(), Thing()
    known.put(thing, "fact")
    del thing
    gc.collect()
    assert known._known == {}
