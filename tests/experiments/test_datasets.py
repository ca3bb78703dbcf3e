"""Images by name and from files, and one clear line for every file that is none of them."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from seedproof.errors import UsageError
from seedproof.experiments import datasets
from seedproof.experiments.datasets import load

MNIST = Path(__file__).parents[2].parent / "shared" / "data" / "mnist-t10k"
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES_FILE, LABELS_FILE = idx(IMAGES), idx(LABELS)
ZIPPED = gzip.compress(IMAGES_FILE, mtime=0)


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.fixture
def pair(tmp_path):
    """Write two files and give the name under which they are loaded."""

    def write_pair(images=IMAGES_FILE, labels=LABELS_FILE):
        return f"{write(tmp_path / 'i.gz', images)},{write(tmp_path / 'l', labels)}"

    return write_pair


@pytest.fixture
def npz(tmp_path):
    def write_npz(**arrays):
        np.savez(tmp_path / "own.npz", **arrays)
        return str(tmp_path / "own.npz")

    return write_npz


def refusal(name):
    with pytest.raises(UsageError) as caught:
        load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is_the_sample(dataset):
    assert dataset.images.dtype == np.uint8
    assert dataset.labels.dtype == np.uint8
    np.testing.assert_array_equal(dataset.images, IMAGES)
    np.testing.assert_array_equal(dataset.labels, LABELS)


def test_digits_are_enlarged_exactly():
    small = pytest.importorskip("sklearn.datasets").load_digits()
    dataset = load("digits")
    assert dataset.images.shape == (1797, 28, 28)
    assert (dataset.images.min(), dataset.images.max()) == (0.0, 1.0)
    for row in range(3):
        for column in range(3):
            part = dataset.images[:, 2 + row : 26 : 3, 2 + column : 26 : 3]
            np.testing.assert_array_equal(part, small.images / 16)
    assert dataset.images.sum() == 9 * small.images.sum() / 16  # and nothing in the margin
    np.testing.assert_array_equal(dataset.labels, small.target)


def test_a_pair_of_idx_files_is_read(pair):
    assert_is_the_sample(load(pair()))


@pytest.mark.skipif(not MNIST.is_dir(), reason="the images are not here")
def test_the_original_files_of_mnist_are_read():
    files = (MNIST / "t10k-images-idx3-ubyte.gz", MNIST / "t10k-labels-idx1-ubyte.gz")
    dataset = load(",".join(map(str, files)))
    assert dataset.images.shape == (10000, 28, 28)
    assert dataset.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(float(dataset.images.mean() / 255), 4) == 0.1325


@pytest.mark.parametrize(
    ("images", "part"),
    [
        (b"<html>no such file", "starts with the bytes 3c68746d"),
        (LABELS_FILE, "starts with the bytes 00000801, not 00000803"),
        (idx(IMAGES[:, :14]), "its images are 14x28"),
        (idx(IMAGES[:0]), "shape is (0, 28, 28)"),
        (ZIPPED[:-9], "end-of-stream"),
        (ZIPPED + b"more", "Not a gzipped file"),
        (ZIPPED[:10] + b"\xff" * 9, "Error -3 while decompressing"),
    ],
)
def test_broken_images_are_refused(pair, images, part):
    line = refusal(pair(images))
    assert part in line
    assert "needed is" in line


@pytest.mark.parametrize(
    ("labels", "part"),
    [
        (idx(LABELS[:-1]), "6 images, and labels of shape (5,)"),
        (idx(LABELS + np.uint8(1)), "not whole numbers from 0 to 9"),
        (IMAGES_FILE, "starts with the bytes 00000803, not 00000801"),
    ],
)
def test_broken_labels_are_refused(pair, labels, part):
    assert part in refusal(pair(labels=labels))


@pytest.mark.parametrize("names", [("x_train", "y_train"), ("x", "y")])
def test_npz_files_are_read(npz, names):
    assert_is_the_sample(load(npz(**dict(zip(names, (IMAGES, LABELS), strict=True)))))


def test_floats_from_0_to_1_are_taken_in_this_machines_byte_order(npz):
    dataset = load(npz(x=(IMAGES / 255.0).astype(">f8"), y=LABELS.astype(np.int64)))
    assert dataset.images.dtype == np.dtype("=f8")
    np.testing.assert_array_equal(dataset.images, IMAGES / 255.0)
    assert dataset.labels.dtype == np.uint8


NANS = np.full(IMAGES.shape, np.nan)


@pytest.mark.parametrize(
    ("arrays", "part"),
    [
        ({"x": IMAGES.astype(object), "y": LABELS}, "Object arrays cannot be loaded"),
        ({"x": IMAGES}, "y is not a file in the archive"),
        ({"x": IMAGES[..., None], "y": LABELS}, "shape is (6, 28, 28, 1)"),
        ({"x": IMAGES.astype(float), "y": LABELS}, "neither uint8 nor floats from 0 to 1"),
        ({"x": IMAGES.astype(int), "y": LABELS}, "neither uint8 nor floats from 0 to 1"),
        ({"x": NANS, "y": LABELS}, "neither uint8 nor floats from 0 to 1"),
        ({"x": IMAGES, "y": LABELS.astype(float)}, "not whole numbers from 0 to 9"),
        ({"x": IMAGES, "y": LABELS - np.int8(4)}, "not whole numbers from 0 to 9"),
        ({"x": IMAGES, "y": LABELS[:, None]}, "labels of shape (6, 1)"),
        ({"x": np.uint8(7), "y": LABELS}, "shape is ()"),
    ],
)
def test_arrays_of_another_kind_are_refused(npz, arrays, part):
    line = refusal(npz(**arrays))
    assert part in line
    assert "x_train and y_train" in line


def test_every_truncation_of_an_npz_is_refused(npz):
    whole = Path(npz(x=IMAGES, y=LABELS))
    content = whole.read_bytes()
    for length in range(0, len(content), 97):
        whole.write_bytes(content[:length])
        assert "it is no .npz archive" in refusal(str(whole))


def test_a_damaged_member_of_an_npz_is_refused(npz):
    path = Path(npz(x=IMAGES, y=LABELS))
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    assert "Bad CRC-32" in refusal(str(write(path, bytes(content))))


@pytest.mark.parametrize("name", ["missing.npz", "missing,pair"])
def test_a_missing_file_is_named(tmp_path, name):
    line = refusal(str(tmp_path / name))
    assert f"cannot use {tmp_path / 'missing'}" in line
    assert "No such file or directory" in line


@pytest.mark.parametrize("name", ["cifar", "", "a,b,c", "images.gz"])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    line = refusal(name)
    assert f"unknown dataset {name!r}" in line
    for known in ("digits", "mnist", "fashion-mnist", ".npz", "IMAGES,LABELS", "--dataset digits"):
        assert known in line


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_downloaded_sets_are_the_training_images_each_in_its_folder(monkeypatch, pair, name):
    local = dict(zip(("images", "labels"), map(Path, pair().split(",")), strict=True))
    asked = []

    def fetch(remote):
        asked.append(remote)
        return local["images" if "images" in remote.name else "labels"]

    monkeypatch.setattr(datasets, "fetch", fetch)
    assert_is_the_sample(load(name))
    files = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert [remote.name for remote in asked] == [f"{name}/{file}" for file in files]
    for remote, file in zip(asked, files, strict=True):
        assert len(remote.sha256) == 64
        assert len(remote.urls) == 2
        assert all(url.endswith(f"/{file}") for url in remote.urls)


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert "pip install scikit-learn" in refusal("digits")
