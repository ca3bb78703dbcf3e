"""The images that the reference experiment trains on, by name or from the user's own files."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seedproof.errors import UsageError
from seedproof.experiments.download import RemoteFile, fetch
from seedproof.experiments.idx import read_idx

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

SIDE = 28
CLASSES = 10


@dataclass(frozen=True)
class Dataset:
    """Small grey images of ten classes.

    Attributes:
        images: (n, 28, 28), either uint8 from 0 to 255, or floating point from 0 to 1.
        labels: (n,) uint8, the class of each image, from 0 to 9.
        title: what it is, in a few words.
        note: what a reader of its results should know; may be empty.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.uint8]
    title: str
    note: str = ""


def load(name: str) -> Dataset:
    """Load `digits`, `mnist`, `fashion-mnist`, an .npz file, or `IMAGES,LABELS` (IDX files).

    Raises:
        UsageError: an unknown name, a file that is not what it should be, a failed download.
    """
    if name in NAMED:
        return NAMED[name]()
    if name.endswith(".npz"):
        return _from_npz(Path(name))
    if name.count(",") == 1:
        images, labels = name.split(",")
        return _from_idx(Path(images), Path(labels), title=name)
    raise UsageError(
        f"unknown dataset {name!r}; allowed are {', '.join(NAMED)}, an .npz file, or two IDX "
        "files as IMAGES,LABELS, for example --dataset digits"
    )


def _digits() -> Dataset:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UsageError(
            "the dataset digits needs scikit-learn; pip install scikit-learn"
        ) from None
    small = load_digits()
    enlarged = small.images.repeat(3, axis=1).repeat(3, axis=2)
    images = np.pad(enlarged, ((0, 0), (2, 2), (2, 2))) / 16.0
    note = "enlarged from 8x8, its numbers do not compare with those of MNIST"
    return _checked(images, small.target, "scikit-learn's digits", note)


def _mnist() -> Dataset:
    homes = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    return _downloaded(
        "mnist",
        homes,
        images_sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        labels_sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        title="MNIST's training images",
    )


def _fashion_mnist() -> Dataset:
    homes = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    )
    return _downloaded(
        "fashion-mnist",
        homes,
        images_sha256="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        labels_sha256="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        title="Fashion-MNIST's training images",
        note="its numbers do not compare with those of MNIST",
    )


NAMED = {"digits": _digits, "mnist": _mnist, "fashion-mnist": _fashion_mnist}


def _downloaded(
    folder: str,
    homes: tuple[str, ...],
    *,
    images_sha256: str,
    labels_sha256: str,
    title: str,
    note: str = "",
) -> Dataset:
    def local(file: str, sha256: str) -> Path:
        return fetch(RemoteFile(f"{folder}/{file}", sha256, tuple(home + file for home in homes)))

    images = local("train-images-idx3-ubyte.gz", images_sha256)
    labels = local("train-labels-idx1-ubyte.gz", labels_sha256)
    return _from_idx(images, labels, title, note)


def _from_idx(images: Path, labels: Path, title: str, note: str = "") -> Dataset:
    with _reading(images, f"an IDX file of {SIDE}x{SIDE} images, then a comma and its labels"):
        pixels = read_idx(images, (SIDE, SIDE))
    with _reading(labels, "an IDX file of labels, after the one of images and a comma"):
        classes = read_idx(labels, ())
    with _reading(labels, f"a label for each image of {images}"):
        return _checked(pixels, classes, title, note)


def _from_npz(path: Path) -> Dataset:
    with _reading(path, "an .npz file of plain arrays x_train and y_train, or x and y"):
        with path.open("rb") as file:
            # NumPy takes whatever is no archive for a pickle, and says so.
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no .npz archive")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                suffix = "_train" if "x_train" in archive.files else ""
                images, labels = archive["x" + suffix], archive["y" + suffix]
        return _checked(images, labels, title=str(path))


@contextmanager
def _reading(path: Path, needed: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # foreign bytes make their readers raise nearly anything
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UsageError(f"cannot use {path}: {reason}; needed is {needed}") from None


def _checked(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], title: str, note: str = ""
) -> Dataset:
    if images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(f"the images' shape is {images.shape}, not (n, {SIDE}, {SIDE})")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"there are {len(images):,} images, and labels of shape {labels.shape}")
    if images.dtype != np.uint8 and not _within(images, "f", 1):
        raise ValueError(f"the pixels ({images.dtype}) are neither uint8 nor floats from 0 to 1")
    if not _within(labels, "iu", CLASSES - 1):
        raise ValueError(f"the labels ({labels.dtype}) are not whole numbers from 0 to 9")
    native = images.astype(images.dtype.newbyteorder("="), copy=False)
    return Dataset(native, labels.astype(np.uint8), title, note)


def _within(array: npt.NDArray[Any], kinds: str, highest: int) -> bool:
    """Whether the dtype is of these kinds and all values lie between 0 and the highest."""
    return array.dtype.kind in kinds and bool(array.min() >= 0 and array.max() <= highest)
