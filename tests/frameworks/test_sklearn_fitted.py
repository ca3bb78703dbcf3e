"""What a fit has left is taken apart whole: whatever differs in it differs in the record."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from seedproof.frameworks.sklearn.fitted import Fitted
from seedproof.inside import leaves

GENERATOR = np.random.default_rng(0)


class Holder(BaseEstimator):
    """An estimator that has learned what it is told."""

    def __init__(self, parameter=None):
        self.parameter = parameter

    def holding(self, learned):
        self.learned_ = learned
        return self


def record_of(learned) -> list[tuple[str, int]]:
    """The names and digests of what an estimator has learned."""
    return digests(Holder().holding(learned))


def digests(estimator) -> list[tuple[str, int]]:
    fitted = Fitted(estimator)
    assert fitted.without_bits == []
    return [(leaf.name, leaf.digest) for leaf in leaves.flatten("", fitted.values)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (0.0, -0.0),
        (True, 1),
        ("a", "b"),
        (None, 0),
        ([1, 2], [2, 1]),
        ([0.0], [-0.0]),
        ([np.float32(1)], [np.float64(1)]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ({1, 2}, {1, 3}),
        (np.float32([0]), np.float32([-0.0])),
        (np.zeros(2), np.zeros((2, 1))),
        (np.array(["a", "b"], object), np.array(["b", "a"], object)),
        (np.array([[1, 2]], object), np.array([[1], [2]], object)),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
        (sparse.csr_matrix([[0, 1]]), sparse.csr_matrix([[1, 0]])),
        (sparse.csr_matrix([[0, 1]]), sparse.csr_matrix([[0, 1, 0]])),
        ([{"a": np.zeros(1)}], [{"a": np.ones(1)}]),
        (slice(0, 1), slice(0, 2)),
        (np.dtype("f4"), np.dtype("f8")),
        (len, abs),
        (Holder().holding(1), Holder().holding(2)),
    ],
)
def test_what_differs_is_seen(one, other):
    assert record_of(one) == record_of(one)
    assert record_of(one) != record_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"x", "y", "z"}, {"z", "y", "x"}),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 9], mask=[0, 1])),
        ({"mean_fit_time": np.ones(1)}, {"mean_fit_time": np.zeros(1)}),
        ({"score": 1.0, "fit_time": 0.1}, {"score": 1.0, "fit_time": 0.2}),
        ([np.random.RandomState(0)], [np.random.RandomState(1)]),
        ([np.random.default_rng(0)], [np.random.default_rng(1)]),
    ],
)
def test_what_says_the_same_is_the_same(one, other):
    assert record_of(one) == record_of(other)


def test_a_word_is_no_measured_time():
    assert record_of({"time": 1}) != record_of({"time": 2})


def test_parameters_are_not_what_was_learned():
    assert Fitted(Holder(parameter=3).holding(1)).values == {"learned_": 1}


def test_an_estimator_that_was_given_is_looked_into():
    scaler = StandardScaler().fit(np.arange(4.0)[:, None])
    assert "parameter/mean_" in Fitted(Holder(scaler)).values
    assert "parameter/scale/mean_" in Fitted(Holder([("scale", scaler)])).values


def test_what_contains_itself_is_met_once():
    learned = [1, np.zeros(2)]
    learned.append(learned)
    assert [name for name, _ in record_of(learned)] == ["learned_/0", "learned_/1"]


@pytest.mark.parametrize("strange", [object(), iter([1])])
def test_what_has_no_bits_is_named_with_its_type(strange):
    fitted = Fitted(Holder().holding([1, strange, np.zeros(1)]))
    assert fitted.without_bits == [f"learned_/1 ({type(strange).__name__})"]
    assert [*fitted.values] == ["learned_/0", "learned_/2"]


@pytest.mark.parametrize(
    "estimator",
    [DecisionTreeClassifier(random_state=0), KNeighborsClassifier(algorithm="kd_tree")],
)
def test_what_is_not_pythons_is_looked_into_too(estimator):
    data = GENERATOR.random((60, 3))
    labels = (data[:, 0] > 0.5).astype(int)
    one = digests(estimator.fit(data, labels))
    other = digests(estimator.fit(1 - data, labels))
    inner = {name for name, _ in one if name.startswith(("tree_/", "_tree/"))}
    assert inner & {name for name, _ in {*one} - {*other}}
