"""The reference experiment: what it trains, what it leaves, and how it answers bad input."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import seedproof
from seedproof.experiments.mnist_cv import main

SAMPLES, FOLDS, SEED = 12, 3, 7

needs_packages = pytest.mark.skipif(
    find_spec("tensorflow") is None or find_spec("sklearn") is None,
    reason="trains with TensorFlow and scikit-learn",
)

# Runs the module as a user does, then prints what it asked of Keras and of Seedproof, in order.
# The first pixel of each image is its index, so that the lists of first pixels name the images.
WATCHED_RUN = """
import json, runpy
import numpy as np
import seedproof
from tensorflow import keras

events, inside = [], []

def spy_on(method):
    original = getattr(keras.Model, method)
    def call(self, x=None, *args, **kwargs):
        if not inside:
            indices = np.rint(x[:, 0, 0] * 255).astype(int).tolist()
            events.append([method, indices, str(x.dtype), float(x.max()), kwargs])
        inside.append(method)
        try:
            return original(self, x, *args, **kwargs)
        finally:
            inside.pop()
    setattr(keras.Model, method, call)

def record(name, value, step=None, phase=None):
    shapes = [list(part.shape) for part in value] if isinstance(value, list) else value.tolist()
    dtype = str(value[0].dtype)
    events.append(["record", name, phase, dtype, shapes])

def log_metric(name, value, step=None, fold=None):
    events.append(["metric", name, fold, value])

for method in ("fit", "evaluate"):
    spy_on(method)
seedproof.record, seedproof.log_metric = record, log_metric
try:
    runpy.run_module("seedproof.experiments.mnist_cv", run_name="__main__")
except SystemExit as end:
    status = end.code

from seedproof.experiments.mnist_cv import build_model
model = build_model()
layers = [[type(layer).__name__, layer.get_config()] for layer in model.layers]
compiled = [type(model.optimizer).__name__, float(model.optimizer.learning_rate), model.loss]
print(json.dumps({"status": status, "events": events, "layers": layers, "compiled": compiled,
                  "parameters": model.count_params()}, default=str))
"""


def run(*arguments):
    source = str(Path(seedproof.__file__).parents[1])
    environ = {**os.environ, "PYTHONPATH": source, "TF_NUM_INTRAOP_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """One tiny run on 12 of 15 images: its printed rows, its result file, and what it called."""
    directory = tmp_path_factory.mktemp("run")
    images = np.random.default_rng(0).integers(0, 256, (15, 28, 28), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(15), 255
    np.savez(directory / "own.npz", x=images, y=np.arange(15, dtype=np.uint8) % 10)
    results = directory / "results" / "rows.txt"
    script = directory / "watched.py"
    script.write_text(WATCHED_RUN)
    sizes = ("--samples", SAMPLES, "--folds", FOLDS, "--epochs", 1, "--batch-size", 5)
    files = ("--dataset", directory / "own.npz", "--results", results)
    ended = run(script, *sizes, *files, "--seed", SEED)
    assert ended.returncode == 0, ended.stderr
    *rows, seen = ended.stdout.splitlines()
    return {"rows": rows, "results": results.read_text(), **json.loads(seen)}


def splits():
    from sklearn.model_selection import KFold

    folds = KFold(n_splits=FOLDS, shuffle=True, random_state=SEED).split(range(SAMPLES))
    return [(training.tolist(), held_out.tolist()) for training, held_out in folds]


@needs_packages
def test_each_fold_is_one_line_of_full_precision(watched):
    assert watched["status"] == 0
    metrics = {(name, fold): value for kind, name, fold, value in only("metric", watched)}
    assert watched["rows"] == [
        f"{fold} {metrics['loss', fold]!r} {metrics['accuracy', fold]!r}" for fold in range(FOLDS)
    ]


@needs_packages
def test_the_run_is_appended_in_the_articles_format(watched):
    stamp, *rows = watched["results"].splitlines()
    assert re.fullmatch(r"\d{8}-\d{6}", stamp)
    assert rows == watched["rows"]


def only(kind, watched):
    return [event for event in watched["events"] if event[0] == kind]


@needs_packages
def test_each_fold_trains_on_its_part_and_is_evaluated_on_the_rest(watched):
    assert [event[1] for event in only("fit", watched)] == [part for part, _ in splits()]
    assert [event[1] for event in only("evaluate", watched)] == [rest for _, rest in splits()]


@needs_packages
def test_the_training_gets_the_articles_numbers(watched):
    for _, _, dtype, highest, options in only("fit", watched):
        assert dtype == "float64"
        assert highest == 1.0
        assert options == {"epochs": 1, "batch_size": 5, "validation_split": 0.2, "verbose": 0}


@needs_packages
def test_each_fold_is_logged_and_recorded_in_order(watched):
    order = ["fit", "evaluate", "metric", "metric", "record", "record"]
    assert [event[0] for event in watched["events"]] == order * FOLDS
    records = only("record", watched)
    names = [f"fold{fold}/{what}" for fold in range(FOLDS) for what in ("predictions", "weights")]
    assert [name for _, name, *_ in records] == names
    assert {phase for _, _, phase, *_ in records} == {"output"}


@needs_packages
def test_predictions_are_classes_and_weights_are_all_arrays(watched):
    for _, name, _, dtype, value in only("record", watched):
        if name.endswith("predictions"):
            assert dtype == "uint8"
            assert len(value) == SAMPLES // FOLDS
            assert all(0 <= label <= 9 for label in value)
        else:
            kernels = [[3, 3, 1, 8], [8], [3, 3, 8, 8], [8], [200, 128], [128], [128, 10], [10]]
            assert (dtype, value) == ("float32", kernels)


@needs_packages
def test_the_network_is_the_articles(watched):
    layers = [(name, config) for name, config in watched["layers"] if name != "InputLayer"]
    expected = [
        ("Reshape", {"target_shape": [28, 28, 1]}),
        ("Conv2D", {"filters": 8, "kernel_size": [3, 3], "activation": "relu"}),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}),
        ("Conv2D", {"filters": 8, "kernel_size": [3, 3], "activation": "relu"}),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}),
        ("Flatten", {}),
        ("Dense", {"units": 128, "activation": "relu"}),
        ("Dropout", {"rate": 0.2}),
        ("Dense", {"units": 10, "activation": "softmax"}),
    ]
    assert [name for name, _ in layers] == [name for name, _ in expected]
    for (_, config), (_, wanted) in zip(layers, expected, strict=True):
        assert {key: config[key] for key in wanted} == wanted
    name, rate, loss = watched["compiled"]
    assert (name, round(rate, 6), loss) == ("Adam", 0.001, "sparse_categorical_crossentropy")
    assert watched["parameters"] == 80 + 584 + 25728 + 1290


@needs_packages
def test_predictions_can_be_left_out():
    code = (
        "import seedproof; seedproof.record = lambda name, value, phase: print(name);"
        "from seedproof.experiments.mnist_cv import main;"
        "main(['--samples', '8', '--folds', '2', '--epochs', '1', '--no-predictions'])"
    )
    lines = run("-c", code).stdout.splitlines()
    assert [line for line in lines if "/" in line] == ["fold0/weights", "fold1/weights"]


def refusal(capsys, *arguments):
    """The one line that answers these arguments."""
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("mnist_cv: ")
    assert err.count("\n") == 1
    return err


def test_bad_arguments_are_answered_with_one_line(capsys):
    assert "argument --folds: found '1', allowed is" in refusal(capsys, "--folds", 1)
    assert "found 7 folds for 6 images" in refusal(capsys, "--samples", 6, "--folds", 7)


def test_bad_arguments_are_answered_before_any_package_is_loaded():
    code = (
        "import sys; from seedproof.experiments.mnist_cv import main;"
        "status = main(['--folds', '1']);"
        "print(status, *{'numpy', 'sklearn', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    assert run("-c", code).stdout.split() == ["2"]


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        (["tensorflow"], "TensorFlow cannot be found"),
        (["sklearn"], "scikit-learn cannot be found"),
        (["tensorflow", "sklearn"], "TensorFlow and scikit-learn cannot be found"),
    ],
)
@needs_packages
def test_missing_packages_are_answered_with_the_command(capsys, monkeypatch, absent, named):
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)
    line = refusal(capsys)
    assert f"{named} by {sys.executable}" in line
    assert 'pip install "seedproof[tensorflow-cpu,experiment]"' in line


@needs_packages
@pytest.mark.parametrize("prepare", [[], ["--prepare"]])
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--dataset", "cifar"], "unknown dataset 'cifar'"),
        (["--dataset", "missing.npz"], "cannot use missing.npz: No such file or directory"),
        (["--samples", 1798], "allowed are the 1797 images of scikit-learn's digits"),
        (["--folds", 1798], "found 1798 folds for 1797 images"),
    ],
)
def test_data_that_cannot_serve_is_refused(capsys, arguments, part, prepare):
    assert part in refusal(capsys, *arguments, *prepare)


@needs_packages
def test_a_failed_download_is_one_line(capsys, monkeypatch, tmp_path):
    (tmp_path / "regular").touch()
    monkeypatch.setenv("SEEDPROOF_CACHE", str(tmp_path / "regular"))
    assert "set SEEDPROOF_CACHE" in refusal(capsys, "--dataset", "mnist")


@needs_packages
def test_predicted_classes_are_those_of_predict():
    program = (
        "import numpy as np\n"
        "from seedproof.experiments.mnist_cv import build_model, predicted_classes\n"
        "images = np.random.default_rng(0).random((1003, 28, 28))\n"
        "model = build_model()\n"
        "expected = model.predict(images, verbose=0).argmax(axis=1)\n"
        "assert (predicted_classes(model, images) == expected).all()\n"
    )
    done = run("-c", program)
    assert done.returncode == 0, done.stderr
