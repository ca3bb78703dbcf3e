"""Small trainings with scikit-learn, one after the other; run as a script.

python sklearn_fits.py SEED OUTPUT.npz
"""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

GENERATOR = np.random.RandomState(7)
DATA = GENERATOR.randn(120, 6)
LABELS = (DATA[:, 0] + 0.5 * GENERATOR.randn(120) > 0).astype(int)
NAMES = np.array(["no", "yes"], dtype=object)[LABELS]

warnings.simplefilter("ignore", ConvergenceWarning)


class OneOfTheScript(ClassifierMixin, BaseEstimator):
    """An estimator that other processes get with all that it holds: nothing there has it."""

    def __init__(self, strength=1.0, seed=0):
        self.strength = strength
        self.seed = seed

    def fit(self, data, labels):
        self.classes_ = np.unique(labels)
        self.weights_ = np.random.RandomState(self.seed).rand(data.shape[1]) * self.strength
        return self

    def predict(self, data):
        return self.classes_[(data @ self.weights_ > 0).astype(int)]


def logistic_regression(seed):
    return LogisticRegression(solver="saga", max_iter=5, random_state=seed).fit(DATA, LABELS)


def forest(seed):
    return RandomForestClassifier(n_estimators=40, n_jobs=2, random_state=seed).fit(DATA, LABELS)


def k_means(seed):
    return KMeans(5, init="random", n_init=1, max_iter=2, random_state=seed).fit(DATA)


def pipeline(seed):
    last = SGDClassifier(max_iter=3, random_state=seed)
    return Pipeline([("scale", StandardScaler()), ("last", last)]).fit(DATA, NAMES)


def grid_search(seed):
    asked = {"strength": [0.5, 2.0], "seed": [seed, seed + 10]}
    return GridSearchCV(OneOfTheScript(), asked, n_jobs=2, cv=3).fit(DATA, LABELS)


def perceptron(seed):
    return MLPClassifier((5,), max_iter=4, random_state=seed).fit(DATA, LABELS)


def boosting(seed):
    """What it learns lies in private attributes alone."""
    return HistGradientBoostingClassifier(
        max_iter=5, max_features=0.4, early_stopping=False, random_state=seed
    ).fit(DATA, LABELS)


def bit_by_bit(seed):
    estimator = SGDClassifier(random_state=seed)
    for start in range(0, 120, 40):
        part = slice(start, start + 40)
        estimator.partial_fit(DATA[part], LABELS[part], classes=[0, 1])
    return estimator


TRAININGS = (
    *(logistic_regression, forest, k_means, pipeline, grid_search),
    *(perceptron, boosting, bit_by_bit),
)


def check_that_estimators_are_what_they_were(estimator):
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    assert pickle.loads(pickle.dumps(estimator)).coef_.tobytes() == estimator.coef_.tobytes()
    assert [*inspect.signature(LogisticRegression.fit).parameters][:3] == ["self", "X", "y"]
    with config_context(enable_metadata_routing=True):
        copy.set_fit_request(sample_weight=True)
    assert LogisticRegression.fit.__qualname__ == "LogisticRegression.fit"


if __name__ == "__main__":
    given = {}
    for training in TRAININGS:
        trained = training(int(sys.argv[1]))
        given[training.__name__] = np.asarray(trained.predict(DATA), dtype="U3")
        given[training.__name__ + "/score"] = trained.score(
            DATA, NAMES if training is pipeline else LABELS
        )
    check_that_estimators_are_what_they_were(logistic_regression(0))
    np.savez(sys.argv[2], **given)
