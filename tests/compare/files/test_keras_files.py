"""`.keras` and `.h5`, as Keras writes them."""

import io
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest

from conftest import environment
from two_runs import difference

h5py = pytest.importorskip("h5py")

needs_keras = pytest.mark.skipif(find_spec("keras") is None, reason="no Keras")
BACKENDS = ("tensorflow", "torch", "jax")
SAVES = """
import sys
import keras

model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
model.compile("adam", "mse")
for name in ("ours", "theirs"):
    model.save(f"{name}.keras")
    model.save_weights(f"{name}.weights.h5")
    if name == "ours":
        kernel, bias = model.layers[1].get_weights()
        kernel[3, 1] += 1
        model.layers[1].set_weights([kernel, bias])
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model, and the same with one weight changed, in both formats."""
    backend = next(name for name in BACKENDS if find_spec(name))
    directory = tmp_path_factory.mktemp("saved")
    subprocess.run(
        [sys.executable, "-c", SAVES],
        cwd=directory,
        env=environment(KERAS_BACKEND=backend),
        capture_output=True,
        check=True,
        timeout=300,
    )
    return directory


def in_turn(saved, suffix):
    """The contents of the two files."""
    return [(saved / f"{name}{suffix}").read_bytes() for name in ("ours", "theirs")]


def h5(**datasets):
    """An HDF5 file with these arrays."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, array in datasets.items():
            root[name.replace("__", "/")] = array
    return file.getvalue()


def saved_on(archive, day):
    """A `.keras` file as if it had been saved on another day."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "metadata.json":
                data = b'{"date_saved": "%s"}' % day
            new.writestr(zipfile.ZipInfo(info.filename), data)
    return out.getvalue()


# -- as Keras writes them ----------------------------------------------------------------------


@needs_keras
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_the_first_weight_that_differs_is_named(tmp_path, saved, suffix):
    found = difference(tmp_path, f"model{suffix}", *in_turn(saved, suffix))
    assert found.tensor.name == "layers/dense_1/vars/0"
    assert found.tensor.dtypes == ("float32", "float32")
    assert found.tensor.shapes == ((4, 2), (4, 2))
    assert found.tensor.max_abs_diff == pytest.approx(1)
    assert found.tensor.share == 1 / 8


@needs_keras
def test_a_model_that_was_saved_on_another_day_holds_equal_tensors(tmp_path, saved):
    ours, _ = in_turn(saved, ".keras")
    found = difference(tmp_path, "m.keras", saved_on(ours, b"monday"), saved_on(ours, b"sunday"))
    assert found.all_tensors_equal
    assert found.tensors > 4
    assert (found.member.name, found.member.kind) == ("metadata.json", "bits")


@needs_keras
def test_without_h5py_the_member_is_named(tmp_path, saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    ours, theirs = (saved_on(content, b"monday") for content in in_turn(saved, ".keras"))
    found = difference(tmp_path, "model.keras", ours, theirs)
    assert (found.tensor, found.tensors) == (None, None)
    assert found.member.name == "model.weights.h5"
    assert found.member.offset > 0
    assert found.note.endswith("needs h5py beside seedproof")


# -- HDF5 --------------------------------------------------------------------------------------


def test_datasets_are_named_by_their_paths(tmp_path):
    ours = h5(a__b=np.zeros(3), a__c=np.zeros(3))
    theirs = h5(a__b=np.zeros(3), a__c=np.ones(3))
    found = difference(tmp_path, "w.h5", ours, theirs)
    assert (found.tensor.name, found.tensor.max_abs_diff, found.tensors) == ("a/c", 1, 2)


def test_the_first_is_the_first_in_the_order_of_the_paths(tmp_path):
    ours, theirs = (h5(b__w=np.full(2, x), a__w=np.full(2, x), c=np.ones(2)) for x in (0.0, 1.0))
    assert difference(tmp_path, "w.h5", ours, theirs).tensor.name == "a/w"


@pytest.mark.parametrize("shape", [(), (0, 3), (400_000,), (3, 200_000), (2, 2, 150_000)])
def test_datasets_of_any_shape_are_read_in_blocks(tmp_path, shape):
    ours = np.arange(np.prod(shape, dtype=int), dtype="f8").reshape(shape)
    theirs = ours.copy()
    theirs[(-1,) * len(shape) if ours.size else ()] += 1
    found = difference(tmp_path, "w.h5", h5(w=ours, z=0), h5(w=theirs, z=1))
    assert found.tensor.name == ("w" if ours.size else "z")
    assert found.tensor.share == 1 / max(1, ours.size)


def test_byte_orders_and_packings_do_not_matter(tmp_path):
    def write(path, **options):
        with h5py.File(path, "w") as root:
            dtype = options.pop("dtype", "<f4")
            root.create_dataset("w", data=np.arange(10, dtype=dtype), **options)

    found = difference(
        tmp_path,
        "w.h5",
        lambda path: write(path, compression="gzip", shuffle=True, chunks=(3,)),
        lambda path: write(path, dtype=">f4", compression="lzf"),
    )
    assert found.all_tensors_equal


def test_texts_beside_the_tensors_are_left_out(tmp_path):
    ours, theirs = (h5(w=np.ones(2), note=text) for text in ("monday", "sunday"))
    found = difference(tmp_path, "w.h5", ours, theirs)
    assert (found.all_tensors_equal, found.tensors) == (True, 1)


def test_links_to_other_files_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere.h5"
    elsewhere.write_bytes(h5(secret=np.ones(2)))

    def write(path, number):
        with h5py.File(path, "w") as root:
            root["w"] = np.ones(2)
            root["number"] = number
            root["away"] = h5py.ExternalLink(str(elsewhere), "/secret")
            root["gone"] = h5py.SoftLink("/nowhere")
            root["again"] = root["w"]
            root["round"] = root["/"]

    found = difference(tmp_path, "w.h5", lambda path: write(path, 1), lambda path: write(path, 2))
    assert (found.tensor.name, found.tensor.max_abs_diff) == ("number", 1)
    assert found.tensors == 2


def test_data_in_other_files_is_not_read(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(8))

    def write(path, number):
        with h5py.File(path, "w") as root:
            root.create_dataset("w", (1,), "f8", external=[(str(tmp_path / "raw"), 0, 8)])
            root["number"] = number

    found = difference(tmp_path, "w.h5", lambda path: write(path, 1), lambda path: write(path, 2))
    assert "lies in another file" in found.note


def test_a_dataset_that_claims_to_be_huge_is_not_read(tmp_path):
    def write(path, number):
        with h5py.File(path, "w") as root:
            root.create_dataset("w", (1 << 40,), "f8", chunks=(1 << 10,), compression="gzip")
            root["number"] = number

    found = difference(tmp_path, "w.h5", lambda path: write(path, 1), lambda path: write(path, 2))
    assert "larger by far than the file" in found.note


def test_chunks_that_would_take_much_memory_are_not_read(tmp_path):
    def write(path, number):
        with h5py.File(path, "w") as root:
            root.create_dataset("w", (1 << 26,), "f8", chunks=(1 << 26,), compression="gzip")
            root["number"] = number

    found = difference(tmp_path, "w.h5", lambda path: write(path, 1), lambda path: write(path, 2))
    assert "too large chunks" in found.note


@pytest.mark.parametrize("keep", [8, 100, 1000, -1])
def test_a_file_that_was_cut_short_leaves_the_offset_and_a_note(tmp_path, keep):
    whole = h5(a=np.arange(100.0), b=np.arange(100.0))
    found = difference(tmp_path, "w.h5", whole, whole[:keep])
    assert (found.kind, found.offset) == ("size", len(whole[:keep]))
    assert found.note.startswith("what it holds was not compared: ")
