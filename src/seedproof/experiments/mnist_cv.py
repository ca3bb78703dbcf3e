"""The reference experiment: a small convolutional network, cross-validated on MNIST.

    python -m seedproof.experiments.mnist_cv --dataset digits --epochs 2

Prints `FOLD LOSS ACCURACY` for each fold. `--seed` chooses the folds and nothing else: what the
training draws at random is left to whoever starts this program. `--prepare` checks the options and
loads the data, so that a download happens once for all the runs that follow, and trains nothing.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import seedproof
from seedproof.errors import UsageError
from seedproof.experiments.mnist_options import count_samples, parse

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from seedproof.experiments.datasets import Dataset

    Row = tuple[int, float, float]

VALIDATION_SPLIT = 0.2
PACKAGES = {"tensorflow": "TensorFlow", "sklearn": "scikit-learn"}
INSTALL_COMMAND = 'pip install "seedproof[tensorflow-cpu,experiment]"'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the experiment; return 0, or 2 after one line on standard error that says what to do."""
    try:
        options = parse(argv)
        _require_packages()
        dataset = _load(options)
        if options.prepare:
            sys.stdout.write(_printable(f"{_described(dataset)}\n"))
        else:
            _run(dataset, options)
    except UsageError as error:
        sys.stderr.write(f"mnist_cv: {error}\n")
        return error.exit_status
    return 0


def _run(dataset: Dataset, options: Namespace) -> None:
    sys.stderr.write(f"mnist_cv: {_described(dataset)}\n")
    rows = list(_cross_validate(dataset, options))
    if options.results is not None:
        _append(options.results, rows)


def _require_packages() -> None:
    missing = [title for name, title in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{' and '.join(missing)} cannot be found by {sys.executable}; {INSTALL_COMMAND}"
        )


def _load(options: Namespace) -> Dataset:
    from seedproof.experiments.datasets import load

    dataset = load(options.dataset)
    samples = count_samples(options, len(dataset.images), dataset.title)
    return replace(dataset, images=dataset.images[:samples], labels=dataset.labels[:samples])


def _described(dataset: Dataset) -> str:
    note = f" ({dataset.note})" if dataset.note else ""
    return f"{len(dataset.images)} images of {dataset.title}{note}"


def _printable(text: str) -> str:
    """What standard output can take: a file's name may hold what its encoding cannot say."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _cross_validate(dataset: Dataset, options: Namespace) -> Iterator[Row]:
    from sklearn.model_selection import KFold

    images, labels = _scaled(dataset.images), dataset.labels
    splitter = KFold(n_splits=options.folds, shuffle=True, random_state=options.seed)
    for fold, (training, held_out) in enumerate(splitter.split(images)):
        model = train_fold(images[training], labels[training], options.epochs, options.batch_size)
        loss, accuracy = map(float, model.evaluate(images[held_out], labels[held_out], verbose=0))
        _report(fold, loss, accuracy)
        if not options.no_predictions:
            classes = predicted_classes(model, images[held_out])
            seedproof.record(f"fold{fold}/predictions", classes, phase="output")
        seedproof.record(f"fold{fold}/weights", model.get_weights(), phase="output")
        yield fold, loss, accuracy


def _scaled(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Bytes become float64 from 0 to 1, as in the article; Keras casts them to float32."""
    return images / 255.0 if images.dtype == "uint8" else images


def train_fold(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], epochs: int, batch_size: int
) -> Any:
    """Train a new model.

    Args:
        images: (n, 28, 28) floating point from 0 to 1; the last fifth only validates.
        labels: (n,) the class of each image, from 0 to 9.
        epochs: how often to go through the images.
        batch_size: how many images make one step.

    Returns:
        The trained Keras model.
    """
    model = build_model()
    model.fit(
        images,
        labels,
        epochs=epochs,
        batch_size=batch_size,
        validation_split=VALIDATION_SPLIT,
        verbose=0,
    )
    return model


def build_model() -> Any:
    """A new Keras model, compiled: (n, 28, 28) images to (n, 10) probabilities."""
    from tensorflow import keras

    inputs = outputs = keras.Input(shape=(28, 28))
    for layer in (
        keras.layers.Reshape((28, 28, 1)),
        keras.layers.Conv2D(8, (3, 3), activation="relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Conv2D(8, (3, 3), activation="relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ):
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _report(fold: int, loss: float, accuracy: float) -> None:
    sys.stdout.write(f"{fold} {loss!r} {accuracy!r}\n")
    sys.stdout.flush()
    seedproof.log_metric("loss", loss, fold=fold)
    seedproof.log_metric("accuracy", accuracy, fold=fold)


def predicted_classes(model: Any, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The most probable class of each of (n, 28, 28) images: (n,) uint8.

    The model is called as it is, a thousand images at a time: `predict` would trace a graph more.
    """
    import numpy as np

    batches = [images[at : at + 1000] for at in range(0, len(images), 1000)]
    scores = [np.asarray(model(batch.astype("float32"), training=False)) for batch in batches]
    classes: npt.NDArray[Any] = np.concatenate(scores).argmax(axis=1).astype("uint8")
    return classes


def _append(results: Path, rows: Iterable[Row]) -> None:
    from seedproof.experiments.article_results import append_run

    try:
        append_run(results, datetime.now(), rows)
    except OSError as error:
        raise UsageError(f"cannot write {results}: {error.strerror or error}") from None


if __name__ == "__main__":
    sys.exit(main())
