"""scikit-learn: what every fit has produced is recorded, and recording changes none of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conftest import environment
from seedproof.trace.reader import Stream
from traces import BOOTSTRAP, recorded, rows_of

pytest.importorskip("sklearn")

SCRIPT = Path(__file__).with_name("sklearn_fits.py")
FITS = {
    "logistic_regression": "LogisticRegression.fit",
    "forest": "RandomForestClassifier.fit",
    "k_means": "KMeans.fit",
    "pipeline": "Pipeline.fit",
    "grid_search": "GridSearchCV.fit",
    "perceptron": "MLPClassifier.fit",
    "boosting": "HistGradientBoostingClassifier.fit",
    "bit_by_bit": "SGDClassifier.partial_fit",
}
SMALL = """
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
data = np.arange(12.0).reshape(6, 2) ** 2
"""


@dataclass(frozen=True)
class Run:
    """What a run of all the fits gave, and its trace."""

    given: dict[str, np.ndarray]
    stream: Stream

    def rows(self, training: str, kind: str = "update") -> list[tuple[int, ...]]:
        return rows_of(self.stream, f"{kind}/{FITS[training]}#0")

    def names(self, training: str) -> list[str]:
        return [c.name for c in self.stream.tables[f"update/{FITS[training]}#0"].columns]


def run(directory: Path, seed: int, **launch: object) -> Run:
    """All the fits in one recorded process."""
    directory.mkdir()
    launched = {"pins": {}, "inside_environment": {}, **launch}
    (directory / "launch.json").write_text(json.dumps(launched))
    recording = {"PYTHONPATH": os.fspath(BOOTSTRAP), "_SEEDPROOF_RUN": str(directory)}
    given = fits(directory / "given.npz", seed, **recording)
    stream = Stream(directory / "trace" / "main")
    stream.refresh()
    assert stream.ended
    assert not stream.all("trouble")
    return Run(given, stream)


def fits(output: Path, seed: int, **variables: str) -> dict[str, np.ndarray]:
    """What all the fits give, in a process of their own."""
    subprocess.run(
        [sys.executable, str(SCRIPT), str(seed), str(output)],
        env=environment(**variables),
        check=True,
        timeout=300,
    )
    with np.load(output) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="module")
def once(place) -> Run:
    return run(place / "once", 0)


@pytest.fixture(scope="module")
def again(place) -> Run:
    return run(place / "again", 0)


@pytest.fixture(scope="module")
def otherwise(place) -> Run:
    return run(place / "otherwise", 1)


def test_recording_changes_no_result(once, place):
    plain = fits(place / "plain.npz", 0)
    assert plain.keys() == once.given.keys()
    for name, array in plain.items():
        assert once.given[name].tobytes() == array.tobytes(), name


def test_the_results_of_another_seed_are_others(once, otherwise):
    assert any((once.given[name] != otherwise.given[name]).any() for name in once.given)


@pytest.mark.parametrize("training", FITS)
def test_a_fit_that_repeats_has_the_same_record(training, once, again):
    assert once.rows(training) == again.rows(training) != []


@pytest.mark.parametrize("training", FITS)
def test_a_fit_with_another_seed_has_another_record(training, once, otherwise):
    assert once.rows(training) != otherwise.rows(training)


def test_the_whole_trace_repeats(once, again):
    assert [*once.stream.tables] == [*again.stream.tables]
    for key in once.stream.tables:
        assert rows_of(once.stream, key) == rows_of(again.stream, key), key


def test_fitted_attributes_are_recorded_and_parameters_are_not(once):
    names = once.names("logistic_regression")
    assert {"coef_", "intercept_", "n_iter_", "classes_"} <= {*names}
    assert not {"C", "random_state", "max_iter"} & {*names}


def test_what_is_fitted_inside_of_a_fit_belongs_to_it(once):
    fits = {key.partition("#")[0] for key in once.stream.tables if key.startswith("update/")}
    assert fits == {f"update/{name}" for name in FITS.values()}
    assert {"steps/scale/mean_", "steps/last/coef_"} <= {*once.names("pipeline")}
    assert "best_estimator_/weights_" in once.names("grid_search")


def test_measured_times_and_generators_are_left_out(once):
    names = [name for training in FITS for name in once.names(training)]
    assert not [name for name in names if "_time" in name or "random_state" in name]
    assert "cv_results_/mean_test_score" in names


def test_every_part_of_a_fit_is_a_step_of_the_scripts_own(once):
    steps = [row[0] for row in once.rows("bit_by_bit")]
    assert steps == [*range(steps[0], steps[0] + 3)]


def test_a_forest_has_one_digest_per_attribute(once):
    assert "estimators_" in once.names("forest")
    assert len(once.names("forest")) < 20


def test_predictions_and_scores_are_recorded(once):
    assert rows_of(once.stream, "output/KMeans.predict#0")
    assert rows_of(once.stream, "metric/KMeans.score@None#0")


def test_a_run_recorded_at_its_end_has_the_last_of_each_fit(once, place):
    end = run(place / "end", 0, recording="end")
    final = [key for key in once.stream.tables if key.startswith("output/final/")]
    assert [*end.stream.tables] == final
    assert len(final) == len(FITS)
    for key in final:
        ours, theirs = rows_of(once.stream, key), rows_of(end.stream, key)
        assert [row[1:] for row in ours] == [row[1:] for row in theirs]


def test_the_perturbed_run_differs(once, place):
    perturbed = run(place / "perturbed", 0, perturbed=True)
    assert perturbed.rows("logistic_regression") != once.rows("logistic_regression")


def test_what_has_no_bits_is_named(tmp_path):
    script = (
        SMALL
        + """
class Odd(BaseEstimator):
    def fit(self, data):
        self.held_, self.weight_ = iter([1]), data.sum()
Odd().fit(data)
"""
    )
    stream, _ = recorded(script, tmp_path)
    assert [c.name for c in stream.tables["update/Odd.fit#0"].columns] == ["weight_"]
    (note,) = stream.all("note")
    assert note["text"] == "Odd.fit: held_ (list_iterator) has no bits to compare"


def test_a_fit_beside_the_main_thread_is_said_to_be_unseen(tmp_path):
    script = SMALL + (
        "import threading\n"
        "thread = threading.Thread(target=lambda: Ridge().fit(data, data[:, 0]))\n"
        "thread.start()\nthread.join()\n"
    )
    stream, _ = recorded(script, tmp_path)
    (unseen,) = stream.all("unseen")
    assert unseen["text"] == "estimators that were fitted beside the main thread"


@pytest.mark.parametrize("workers", [{"n_jobs": 2}, {"n_jobs": 2, "backend": "threading"}])
def test_what_workers_fitted_and_gave_back_is_recorded(workers, tmp_path):
    """They fit an estimator each and give its score alone, with the times that it took."""
    script = (
        SMALL
        + f"""
import joblib
from sklearn.model_selection import cross_validate
with joblib.parallel_config(**{workers}):
    cross_validate(Ridge(), data, data[:, 0] + data[:, 1], cv=2)
"""
    )
    rows = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        stream, _ = recorded(script, tmp_path / name)
        assert [*stream.tables] == ["output/Parallel#0"]
        assert not list(stream.all("unseen"))
        rows.append(rows_of(stream, "output/Parallel#0"))
    assert rows[0] == rows[1]


def test_a_fit_that_fails_fails_as_it_would(tmp_path):
    script = SMALL + "Ridge().fit(data, data[:3, 0])\n"
    stream, done = recorded(script, tmp_path, status=1)
    assert "ValueError: Found input variables with inconsistent numbers" in done.stderr
    assert not stream.tables
    assert not stream.all("trouble")
